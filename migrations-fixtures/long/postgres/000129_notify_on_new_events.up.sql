CREATE FUNCTION announce_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('issue_events', NEW.issue_id::text);
    RETURN NULL;
END;
$$;
CREATE TRIGGER announced AFTER INSERT ON issue_events FOR EACH ROW EXECUTE FUNCTION announce_event();
