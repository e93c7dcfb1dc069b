-- Presence, so that a team sees who is around.
CREATE TABLE presence (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    state   TEXT NOT NULL DEFAULT 'away',
    note    TEXT,
    at      TEXT NOT NULL DEFAULT (datetime('now'))
);
INSERT INTO presence (user_id, state, note) SELECT id, 'here', 'from the kitchen' FROM users;
