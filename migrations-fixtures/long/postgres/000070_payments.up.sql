CREATE TABLE payments (
    id          bigserial PRIMARY KEY,
    invoice_id  bigint NOT NULL REFERENCES invoices (id),
    provider    text NOT NULL,
    reference   text NOT NULL,
    amount      cents NOT NULL CHECK (amount <> 0),
    received_at timestamptz NOT NULL,
    UNIQUE (provider, reference)
);
INSERT INTO payments (invoice_id, provider, reference, amount, received_at)
SELECT id, 'bank', 'RF18 5390 0754 7034', 2499, '2020-02-03 08:00:00+00' FROM invoices WHERE number = '2020-0001';
UPDATE invoices SET paid_at = '2020-02-03 08:00:00+00' WHERE number = '2020-0001';
