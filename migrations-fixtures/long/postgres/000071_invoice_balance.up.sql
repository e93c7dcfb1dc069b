CREATE VIEW invoice_balance WITH (security_barrier) AS
SELECT invoices.id, invoices.number, invoices.total - coalesce(sum(payments.amount), 0) AS owed
FROM invoices
LEFT JOIN payments ON payments.invoice_id = invoices.id
GROUP BY invoices.id;
