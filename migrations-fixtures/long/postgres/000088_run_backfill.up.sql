CALL backfill_closed_stats();
