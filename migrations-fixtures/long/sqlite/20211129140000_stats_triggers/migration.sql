CREATE TRIGGER stats_issue_opened AFTER INSERT ON issues
BEGIN
    INSERT INTO stats_by_day (day, project_id, opened) VALUES (date(NEW.opened_at), NEW.project_id, 1)
    ON CONFLICT (day, project_id) DO UPDATE SET opened = opened + 1;
END;
