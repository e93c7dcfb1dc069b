INSERT INTO invoices (id, subscription_id, number, issued_on, net_cents, tax_cents)
VALUES (1, 1, '2020-0001', '2020-01-20', 2100, 399);
INSERT INTO invoice_lines VALUES (1, 1, 'Three seats, January', 3, 700);
