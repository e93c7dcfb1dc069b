-- Two at once, and a comment: three statements, no transaction possible for two.
CREATE INDEX CONCURRENTLY webhook_deliveries_due ON webhook_deliveries (next_try_at) WHERE status_code IS NULL;
CREATE INDEX CONCURRENTLY webhook_deliveries_hook ON webhook_deliveries (webhook_id);
COMMENT ON INDEX webhook_deliveries_due IS 'the queue''s own';
