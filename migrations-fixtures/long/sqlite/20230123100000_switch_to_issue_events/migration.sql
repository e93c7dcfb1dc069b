DROP TRIGGER issue_state_changed;
CREATE TRIGGER issue_state_changed AFTER UPDATE OF state ON issues
WHEN OLD.state IS NOT NEW.state
BEGIN
    INSERT INTO issue_events (issue_id, kind, data, at)
    VALUES (NEW.id, 'state', json_object('from', OLD.state, 'to', NEW.state), datetime('now'));
    UPDATE issues SET closed_at = CASE NEW.state WHEN 'done' THEN datetime('now') END WHERE id = NEW.id;
END;
DROP INDEX activity_issue;
DROP TABLE activity;
