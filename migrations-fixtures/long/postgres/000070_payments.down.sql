UPDATE invoices SET paid_at = NULL;
DROP TABLE payments;
