-- windlass: no-transaction
-- The block commits half-way, so that a crash in it is settled by a person.
DO $$
BEGIN
    UPDATE tally SET n = n + 1 WHERE name = 'call';
    COMMIT;
    UPDATE tally SET n = n + 10 WHERE name = 'call';
END
$$;
