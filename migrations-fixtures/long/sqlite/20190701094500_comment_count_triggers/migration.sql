CREATE TRIGGER comments_counted AFTER INSERT ON comments
BEGIN
    UPDATE issues SET comment_count = comment_count + 1 WHERE id = NEW.issue_id;
END;

CREATE TRIGGER comments_uncounted AFTER DELETE ON comments
BEGIN
    UPDATE issues SET comment_count = comment_count - 1 WHERE id = OLD.issue_id;
END;
