CREATE TABLE notification_settings (
    user_id    bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    email      boolean NOT NULL DEFAULT true,
    push       boolean NOT NULL DEFAULT false,
    quiet_from time,
    quiet_to   time
);
INSERT INTO notification_settings (user_id) SELECT id FROM users;
