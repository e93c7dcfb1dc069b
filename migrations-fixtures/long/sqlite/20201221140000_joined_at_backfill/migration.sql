UPDATE memberships
SET joined_at = (SELECT created_at FROM users WHERE users.id = memberships.user_id)
WHERE joined_at IS NULL;
