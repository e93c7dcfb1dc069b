CREATE TRIGGER issue_state_changed AFTER UPDATE OF state ON issues
WHEN OLD.state IS NOT NEW.state
BEGIN
    INSERT INTO activity (issue_id, verb, detail)
    VALUES (
        NEW.id,
        CASE WHEN NEW.state = 'done' THEN 'closed' WHEN OLD.state = 'done' THEN 'reopened' ELSE 'moved' END,
        OLD.state || ' -> ' || NEW.state
    );
    UPDATE issues
    SET closed_at = CASE NEW.state WHEN 'done' THEN datetime('now') END
    WHERE id = NEW.id;
END;
