ALTER TABLE api_tokens ADD COLUMN expires_at timestamptz;
UPDATE api_tokens SET scopes = '{issues:read,projects:read}' WHERE scopes = '{read}';
