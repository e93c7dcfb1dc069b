DROP TRIGGER IF EXISTS issue_search_retitled;
CREATE TRIGGER issue_search_retitled AFTER UPDATE OF ref ON issues
BEGIN
    INSERT INTO issue_events (issue_id, kind, data, at)
    VALUES (NEW.id, 'ref', json_object('to', NEW.ref), datetime('now'));
END;
