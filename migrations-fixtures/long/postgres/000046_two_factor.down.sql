BEGIN;
DROP TABLE recovery_codes;
ALTER TABLE users DROP COLUMN totp_secret;
COMMIT;
