DROP PROCEDURE backfill_closed_stats(integer);
