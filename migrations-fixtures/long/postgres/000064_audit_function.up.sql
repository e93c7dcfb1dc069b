SET search_path = audit, public;

CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $audit$
BEGIN
    INSERT INTO audit.log (tbl, action, before, after)
    VALUES (
        TG_RELID, lower(TG_OP),
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END
    );
    RETURN coalesce(NEW, OLD);
END
$audit$;

RESET search_path;
