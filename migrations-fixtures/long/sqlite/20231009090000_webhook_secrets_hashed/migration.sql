ALTER TABLE webhooks ADD COLUMN secret_hint TEXT GENERATED ALWAYS AS (substr(secret, 1, 4) || '…') VIRTUAL;
