ALTER TABLE memberships ADD COLUMN joined_at timestamptz;
UPDATE memberships SET joined_at = users.created_at FROM users WHERE users.id = memberships.user_id;
