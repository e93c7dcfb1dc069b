CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_try_at)
WHERE status_code IS NULL OR status_code >= 500;
