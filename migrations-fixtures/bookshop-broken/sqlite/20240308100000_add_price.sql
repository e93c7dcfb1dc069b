ALTER TABLE books ADD COLUMN price_cents INTEGER;

-- Thick books cost more.
UPDATE books
SET price_cents = CASE WHEN page > 500 THEN 2400 ELSE 1290 END;

CREATE INDEX books_by_price ON books (price_cents);
