DROP INDEX CONCURRENTLY webhook_deliveries_due;
DROP INDEX CONCURRENTLY webhook_deliveries_hook;
