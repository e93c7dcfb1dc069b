START TRANSACTION;
INSERT INTO invoices (subscription_id, number, issued_on, net_cents, tax_cents)
SELECT id, '2020-0001', '2020-01-20', 2100, 399 FROM subscriptions WHERE team_id = 1;
INSERT INTO invoice_lines VALUES (LAST_INSERT_ID(), 1, 'Three seats, January', 3, 700);
COMMIT;
