ALTER TABLE invoices DROP COLUMN currency;
ALTER TABLE plans DROP COLUMN currency;
