ALTER TABLE memberships
    ADD UNIQUE KEY memberships_pair (team_id, user_id),
    DROP PRIMARY KEY,
    ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST,
    ADD COLUMN joined_at DATETIME;
UPDATE memberships JOIN users ON users.id = memberships.user_id SET memberships.joined_at = users.created_at;
