-- The order list added up every line on every page view; keep the sum instead.
ALTER TABLE orders ADD COLUMN total_cents INTEGER NOT NULL DEFAULT 0;

UPDATE orders
SET total_cents = (
    SELECT coalesce(sum(quantity * unit_cents), 0)
    FROM order_lines
    WHERE order_lines.order_id = orders.id
);
