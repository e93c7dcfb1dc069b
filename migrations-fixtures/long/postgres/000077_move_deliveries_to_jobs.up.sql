WITH moved AS (
    DELETE FROM webhook_deliveries WHERE status_code IS NULL RETURNING *
)
INSERT INTO jobs (queue, payload, attempts)
SELECT 'webhooks', jsonb_build_object('delivery', id, 'webhook', webhook_id), tries FROM moved;
