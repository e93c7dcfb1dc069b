ALTER TABLE orders ADD COLUMN euros decimal(12, 2);

-- windlass: repeat
UPDATE orders SET euros = cents / 100 WHERE euros IS NULL LIMIT 300;

ALTER TABLE orders MODIFY COLUMN euros decimal(12, 2) NOT NULL;
