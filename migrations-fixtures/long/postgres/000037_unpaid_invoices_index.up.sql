CREATE INDEX CONCURRENTLY invoices_unpaid ON invoices (issued_on) WHERE paid_at IS NULL;
