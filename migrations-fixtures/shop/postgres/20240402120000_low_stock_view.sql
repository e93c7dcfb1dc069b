CREATE VIEW low_stock AS
SELECT sku, title, stock
FROM products
WHERE stock < 5;
