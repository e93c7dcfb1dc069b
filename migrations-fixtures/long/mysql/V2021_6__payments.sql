CREATE TABLE payments (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    invoice_id  BIGINT UNSIGNED NOT NULL,
    provider    VARCHAR(20) NOT NULL,
    reference   VARCHAR(100) NOT NULL,
    cents       BIGINT NOT NULL,
    received_at DATETIME NOT NULL,
    UNIQUE KEY payments_reference (provider, reference),
    CONSTRAINT payments_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
SET @invoice := (SELECT id FROM invoices WHERE number = '2020-0001'), @day := '2020-02-03 08:00:00';
INSERT INTO payments (invoice_id, provider, reference, cents, received_at)
VALUES (@invoice, 'bank', 'RF18 5390 0754 7034', 2499, @day);
UPDATE invoices SET paid_at = @day WHERE id = @invoice;
