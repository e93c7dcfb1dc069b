CREATE OR REPLACE FUNCTION record_state_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $function$
DECLARE
    what text := CASE WHEN NEW.state = 'done' THEN 'closed' WHEN OLD.state = 'done' THEN 'reopened' ELSE 'moved' END;
BEGIN
    INSERT INTO activity (issue_id, verb, detail)
    VALUES (NEW.id, what, format($msg$%s -> %s; by hand$msg$, OLD.state, NEW.state));
    NEW.closed_at := CASE NEW.state WHEN 'done' THEN now() END;
    RETURN NEW;
END
$function$;

CREATE TRIGGER issue_state_changed BEFORE UPDATE OF state ON issues
FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
EXECUTE PROCEDURE record_state_change();
