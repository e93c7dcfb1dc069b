INSERT INTO jobs (queue, payload, attempts)
SELECT 'webhooks', json_object('delivery', id, 'webhook', webhook_id), tries
FROM webhook_deliveries
WHERE status_code IS NULL;

DELETE FROM webhook_deliveries WHERE status_code IS NULL;
