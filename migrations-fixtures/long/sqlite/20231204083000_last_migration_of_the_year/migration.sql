UPDATE users SET locale = 'en-GB' WHERE locale = 'en' AND email LIKE '%@tracker.example';
CREATE INDEX users_active ON users (id) WHERE deactivated_at IS NULL;
REINDEX users_email;
