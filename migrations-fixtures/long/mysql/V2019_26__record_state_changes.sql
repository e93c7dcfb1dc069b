DELIMITER $$

CREATE TRIGGER issue_state_changed BEFORE UPDATE ON issues
FOR EACH ROW
BEGIN
    IF NOT (OLD.state <=> NEW.state) THEN
        INSERT INTO activity (issue_id, verb, detail)
        VALUES (
            NEW.id,
            CASE WHEN NEW.state = 'done' THEN 'closed' WHEN OLD.state = 'done' THEN 'reopened' ELSE 'moved' END,
            CONCAT(OLD.state, ' -> ', NEW.state, '; by hand')
        );
        SET NEW.closed_at = IF(NEW.state = 'done', NOW(), NULL);
    END IF;
END$$

DELIMITER ;
