CREATE TABLE notification_settings (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    email      INTEGER NOT NULL DEFAULT 1,
    push       INTEGER NOT NULL DEFAULT 0,
    quiet_from TEXT,
    quiet_to   TEXT
);
INSERT INTO notification_settings (user_id) SELECT id FROM users;
