CREATE TABLE invoices (
    id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    subscription_id BIGINT UNSIGNED NOT NULL,
    number          VARCHAR(20) NOT NULL,
    issued_on       DATE NOT NULL,
    net_cents       BIGINT NOT NULL,
    tax_cents       BIGINT NOT NULL DEFAULT 0,
    total_cents     BIGINT GENERATED ALWAYS AS (net_cents + tax_cents) STORED,
    paid_at         DATETIME,
    UNIQUE KEY invoices_number (number),
    CONSTRAINT invoices_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE invoice_lines (
    invoice_id BIGINT UNSIGNED NOT NULL,
    position   INT NOT NULL,
    text       VARCHAR(200) NOT NULL,
    quantity   DECIMAL(10, 2) NOT NULL DEFAULT 1,
    unit_cents BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, position),
    CONSTRAINT invoice_lines_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
