CREATE INDEX IF NOT EXISTS memberships_user ON memberships (user_id);
