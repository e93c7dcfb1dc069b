-- The procedure commits after every batch.
-- windlass: no-transaction
CALL backfill_closed_stats();
