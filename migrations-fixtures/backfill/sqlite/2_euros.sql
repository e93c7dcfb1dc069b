ALTER TABLE orders ADD COLUMN euros REAL;

-- windlass: repeat
UPDATE orders SET euros = cents / 100.0
WHERE id IN (SELECT id FROM orders WHERE euros IS NULL LIMIT 300);

CREATE INDEX orders_by_euros ON orders (euros);
