CREATE TRIGGER issue_not_its_own_parent BEFORE UPDATE OF parent_id ON issues
WHEN NEW.parent_id IN (
    WITH RECURSIVE below (id) AS (
        SELECT NEW.id
        UNION
        SELECT issues.id FROM issues JOIN below ON issues.parent_id = below.id
    )
    SELECT id FROM below
)
BEGIN
    SELECT RAISE(ABORT, 'an issue cannot be its own ancestor');
END;
