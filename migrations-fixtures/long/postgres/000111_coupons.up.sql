CREATE TABLE coupons (
    code       text PRIMARY KEY,
    percent    integer NOT NULL CHECK (percent BETWEEN 1 AND 100),
    expires_on date
);
INSERT INTO coupons VALUES ('WINTER', 20, '2023-02-28');
ALTER TABLE subscriptions ADD COLUMN coupon text;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_coupon FOREIGN KEY (coupon) REFERENCES coupons (code) NOT VALID;
