CREATE TRIGGER issue_search_insert AFTER INSERT ON issues BEGIN
    INSERT INTO issue_search (rowid, title, body) VALUES (NEW.id, NEW.title, NEW.body);
END;
CREATE TRIGGER issue_search_delete AFTER DELETE ON issues BEGIN
    INSERT INTO issue_search (issue_search, rowid, title, body) VALUES ('delete', OLD.id, OLD.title, OLD.body);
END;
CREATE TRIGGER issue_search_update AFTER UPDATE OF title, body ON issues BEGIN
    INSERT INTO issue_search (issue_search, rowid, title, body) VALUES ('delete', OLD.id, OLD.title, OLD.body);
    INSERT INTO issue_search (rowid, title, body) VALUES (NEW.id, NEW.title, NEW.body);
END;
