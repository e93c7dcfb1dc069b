CREATE OR REPLACE VIEW invoice_balance AS
SELECT invoices.id, invoices.number, invoices.total_cents - IFNULL(SUM(payments.cents), 0) AS owed_cents
FROM invoices
LEFT JOIN payments ON payments.invoice_id = invoices.id
GROUP BY invoices.id, invoices.number, invoices.total_cents;
