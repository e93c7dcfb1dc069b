CREATE TABLE payments (
    id          INTEGER PRIMARY KEY,
    invoice_id  INTEGER NOT NULL REFERENCES invoices (id),
    provider    TEXT NOT NULL,
    reference   TEXT NOT NULL,
    cents       INTEGER NOT NULL CHECK (cents <> 0),
    received_at TEXT NOT NULL,
    UNIQUE (provider, reference)
);
INSERT INTO payments (invoice_id, provider, reference, cents, received_at)
VALUES (1, 'bank', 'RF18 5390 0754 7034', 2499, '2020-02-03 08:00:00');
UPDATE invoices SET paid_at = '2020-02-03 08:00:00' WHERE id = 1;
