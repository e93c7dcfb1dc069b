CREATE TABLE coupons (
    code       TEXT PRIMARY KEY COLLATE NOCASE,
    percent    INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
    expires_on TEXT,
    uses       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
ALTER TABLE subscriptions ADD COLUMN coupon TEXT REFERENCES coupons (code);
INSERT INTO coupons (code, percent, expires_on) VALUES ('WINTER', 20, '2023-02-28');
