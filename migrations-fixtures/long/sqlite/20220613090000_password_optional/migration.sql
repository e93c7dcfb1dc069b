-- With single sign-on a person may have no password at all.
PRAGMA foreign_keys=OFF;
PRAGMA legacy_alter_table=ON;
BEGIN;
CREATE TABLE users_new (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    email         TEXT NOT NULL,
    password_hash TEXT,
    name          TEXT,
    created_at    TEXT NOT NULL DEFAULT (datetime('now')),
    username      TEXT,
    locale        TEXT NOT NULL DEFAULT 'en',
    time_zone     TEXT NOT NULL DEFAULT 'UTC',
    totp_secret   BLOB
);
INSERT INTO users_new SELECT id, email, password_hash, name, created_at, username, locale, time_zone, totp_secret FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
CREATE UNIQUE INDEX users_email ON users (email COLLATE NOCASE);
CREATE UNIQUE INDEX users_username ON users (username);
COMMIT;
PRAGMA legacy_alter_table=OFF;
PRAGMA foreign_keys=ON;
