CREATE OR REPLACE FUNCTION record_state_change() RETURNS trigger
LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO issue_events (issue_id, kind, data, at)
    VALUES (NEW.id, 'state', jsonb_build_object('from', OLD.state, 'to', NEW.state), now());
    NEW.closed_at := CASE NEW.state WHEN 'done' THEN now() END;
    RETURN NEW;
END
$function$;
DROP TABLE activity;
