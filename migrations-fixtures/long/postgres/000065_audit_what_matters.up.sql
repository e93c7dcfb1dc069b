DO $do$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['memberships', 'subscriptions', 'api_tokens'] LOOP
        EXECUTE format($sql$
            CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON %I
            FOR EACH ROW EXECUTE FUNCTION audit.record();
        $sql$, t);
    END LOOP;
END
$do$;
