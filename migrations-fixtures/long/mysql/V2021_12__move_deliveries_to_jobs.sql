START TRANSACTION;
INSERT INTO jobs (queue, payload, attempts)
SELECT 'webhooks', JSON_OBJECT('delivery', id, 'webhook', webhook_id), tries
FROM webhook_deliveries WHERE status_code IS NULL;
DELETE FROM webhook_deliveries WHERE status_code IS NULL;
COMMIT;
