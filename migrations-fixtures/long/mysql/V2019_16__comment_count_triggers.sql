-- A body of one statement needs neither BEGIN nor DELIMITER.
CREATE TRIGGER comments_counted AFTER INSERT ON comments
FOR EACH ROW UPDATE issues SET comment_count = comment_count + 1 WHERE id = NEW.issue_id;

CREATE TRIGGER comments_uncounted AFTER DELETE ON comments
FOR EACH ROW UPDATE issues SET comment_count = comment_count - 1 WHERE id = OLD.issue_id;
