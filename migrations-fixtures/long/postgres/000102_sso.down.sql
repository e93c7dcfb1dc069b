ALTER TABLE users ALTER COLUMN password_hash SET NOT NULL;
DROP TABLE identities, identity_providers;
