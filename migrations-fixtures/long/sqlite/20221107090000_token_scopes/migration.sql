ALTER TABLE api_tokens ADD COLUMN expires_at TEXT;
UPDATE api_tokens SET scopes = 'issues:read projects:read' WHERE scopes = 'read';
UPDATE api_tokens SET expires_at = datetime('now', '+1 year') WHERE revoked_at IS NULL;
