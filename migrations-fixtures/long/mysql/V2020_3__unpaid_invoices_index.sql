CREATE INDEX invoices_unpaid ON invoices (paid_at, issued_on) ALGORITHM=INPLACE LOCK=NONE;
