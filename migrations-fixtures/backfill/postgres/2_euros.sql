ALTER TABLE orders ADD COLUMN euros numeric(12, 2);

-- windlass: repeat
UPDATE orders SET euros = cents / 100.0
WHERE id IN (SELECT id FROM orders WHERE euros IS NULL LIMIT 300);

ALTER TABLE orders ALTER COLUMN euros SET NOT NULL;
