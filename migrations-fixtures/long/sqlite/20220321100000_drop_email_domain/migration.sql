ALTER TABLE teams DROP COLUMN email_domain;
