ALTER TABLE subscriptions DROP COLUMN coupon;
DROP TABLE coupons;
