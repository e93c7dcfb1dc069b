SET search_path = shop, public;
CREATE SCHEMA shop;
CREATE TABLE basket (n integer);
CREATE INDEX CONCURRENTLY basket_by_n ON basket (n);
INSERT INTO basket VALUES (1);
UPDATE public.tally SET n = n + 1 WHERE name = 'settings';
