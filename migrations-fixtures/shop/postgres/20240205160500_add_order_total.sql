-- The order list added up every line on every page view; keep the sum instead.
ALTER TABLE orders ADD COLUMN total_cents bigint NOT NULL DEFAULT 0;

UPDATE orders
SET total_cents = sums.total
FROM (SELECT order_id, sum(quantity * unit_cents) AS total FROM order_lines GROUP BY order_id) AS sums
WHERE sums.order_id = orders.id;
