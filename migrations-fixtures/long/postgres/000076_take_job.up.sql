CREATE FUNCTION take_job(worker text, from_queue text DEFAULT 'default') RETURNS SETOF jobs
LANGUAGE sql AS $$
    UPDATE jobs SET locked_by = worker, attempts = attempts + 1
    WHERE id = (
        SELECT id FROM jobs
        WHERE queue = from_queue AND locked_by IS NULL AND run_at <= now()
        ORDER BY run_at
        FOR UPDATE SKIP LOCKED
        LIMIT 1
    )
    RETURNING *;
$$;
