CREATE FUNCTION count_comment() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE issues SET comment_count = comment_count + 1 WHERE id = NEW.issue_id;
        RETURN NEW;
    END IF;
    UPDATE issues SET comment_count = comment_count - 1 WHERE id = OLD.issue_id;
    RETURN OLD;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER comments_counted
    AFTER INSERT OR DELETE ON comments
    FOR EACH ROW EXECUTE FUNCTION count_comment();
