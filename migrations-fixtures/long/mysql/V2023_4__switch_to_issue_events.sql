DROP TRIGGER issue_state_changed;
DELIMITER $$
CREATE TRIGGER issue_state_changed BEFORE UPDATE ON issues
FOR EACH ROW
BEGIN
    IF NEW.state <> OLD.state THEN
        INSERT INTO issue_events (issue_id, kind, data, at)
        VALUES (NEW.id, 'state', JSON_OBJECT('from', OLD.state, 'to', NEW.state), NOW(6));
        SET NEW.closed_at = CASE NEW.state WHEN 'done' THEN NOW() END;
    END IF;
END $$
DELIMITER ;
DROP TABLE activity;
