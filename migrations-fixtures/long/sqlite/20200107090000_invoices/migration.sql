CREATE TABLE invoices (
    id              INTEGER PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES subscriptions (id),
    number          TEXT NOT NULL UNIQUE,
    issued_on       TEXT NOT NULL,
    net_cents       INTEGER NOT NULL,
    tax_cents       INTEGER NOT NULL DEFAULT 0,
    total_cents     INTEGER GENERATED ALWAYS AS (net_cents + tax_cents) STORED,
    paid_at         TEXT
);
CREATE TABLE invoice_lines (
    invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    text       TEXT NOT NULL,
    quantity   REAL NOT NULL DEFAULT 1,
    unit_cents INTEGER NOT NULL,
    PRIMARY KEY (invoice_id, position)
);
