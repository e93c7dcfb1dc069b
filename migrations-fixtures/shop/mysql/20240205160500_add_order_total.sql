-- The order list added up every line on every page view; keep the sum instead.
ALTER TABLE orders ADD COLUMN total_cents BIGINT NOT NULL DEFAULT 0 AFTER status;

UPDATE orders
JOIN (
    SELECT order_id, SUM(quantity * unit_cents) AS total
    FROM order_lines
    GROUP BY order_id
) AS sums ON sums.order_id = orders.id
SET orders.total_cents = sums.total;
