-- In batches, a commit each: a long UPDATE would hold the whole table's rows.
CREATE PROCEDURE backfill_closed_stats(batch integer DEFAULT 500)
LANGUAGE plpgsql AS $$
DECLARE
    d date;
BEGIN
    FOR d IN SELECT DISTINCT closed_at::date FROM issues WHERE closed_at IS NOT NULL LOOP
        INSERT INTO stats_by_day (day, project_id, closed)
        SELECT d, project_id, count(*) FROM issues WHERE closed_at::date = d GROUP BY project_id
        ON CONFLICT (day, project_id) DO UPDATE SET closed = excluded.closed;
        COMMIT;
    END LOOP;
    COMMIT;
END
$$;
