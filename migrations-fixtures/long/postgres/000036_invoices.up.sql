CREATE SEQUENCE invoice_number START 1 MINVALUE 1 NO CYCLE;
CREATE TABLE invoices (
    id              bigserial PRIMARY KEY,
    subscription_id bigint NOT NULL REFERENCES subscriptions (id),
    number          text NOT NULL UNIQUE DEFAULT to_char(now(), 'YYYY-') || lpad(nextval('invoice_number')::text, 4, '0'),
    issued_on       date NOT NULL DEFAULT current_date,
    net             cents NOT NULL,
    tax             cents NOT NULL DEFAULT 0,
    total           cents GENERATED ALWAYS AS (net + tax) STORED,
    paid_at         timestamptz
);
CREATE TABLE invoice_lines (
    invoice_id bigint NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
    position   integer NOT NULL,
    text       text NOT NULL,
    quantity   numeric(10, 2) NOT NULL DEFAULT 1,
    unit       cents NOT NULL,
    PRIMARY KEY (invoice_id, position)
);
