INSERT INTO invoices (subscription_id, number, issued_on, net, tax) VALUES (1, '2020-0001', '2020-01-20', 2100, 399);
INSERT INTO invoice_lines SELECT id, 1, 'Three seats, January', 3, 700 FROM invoices WHERE number = '2020-0001';
