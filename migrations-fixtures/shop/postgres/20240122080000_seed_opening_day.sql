-- What stood on the shelves, and who came, on the day we opened.
INSERT INTO products (id, sku, title, price_cents, stock) VALUES
    (1, 'TEA-ASSAM-100', 'Assam, 100 g', 690, 40),
    (2, 'TEA-SENCHA-100', 'Sencha; first flush, 100 g', 1250, 25),
    (3, 'POT-IRON-08', 'Iron pot, 0.8 l', 5900, 6),
    (4, 'CUP-OWL', 'Cup with an owl on it -- not dishwasher safe', 1450, 3);

INSERT INTO customers (id, email, name) VALUES
    (1, 'ada@example.com', 'Ada'),
    (2, 'brendan@example.com', 'Brendan O''Neill');

INSERT INTO orders (id, customer_id, status, placed_at) VALUES
    (1, 1, 'sent', '2024-01-15 10:12:00+00'),
    (2, 2, 'paid', '2024-01-19 18:40:00+00');

INSERT INTO order_lines (order_id, product_id, quantity, unit_cents) VALUES
    (1, 1, 2, 690),
    (1, 3, 1, 5900),
    (2, 4, 1, 1450);

-- The rows above chose their own numbers: let the counters go on after them.
SELECT setval(pg_get_serial_sequence('products', 'id'), max(id)) FROM products;
SELECT setval(pg_get_serial_sequence('customers', 'id'), max(id)) FROM customers;
SELECT setval(pg_get_serial_sequence('orders', 'id'), max(id)) FROM orders;
