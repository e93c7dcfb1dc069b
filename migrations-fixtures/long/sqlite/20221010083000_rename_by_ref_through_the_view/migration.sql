CREATE TRIGGER issue_refs_insert INSTEAD OF INSERT ON issue_refs
BEGIN
    SELECT RAISE(FAIL, 'refs are made from the project''s key; insert an issue instead');
END;
