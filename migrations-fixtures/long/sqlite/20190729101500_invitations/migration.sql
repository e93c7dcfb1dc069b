CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY,
    team_id    INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    email      TEXT NOT NULL,
    token      TEXT NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(16)))),
    invited_by INTEGER REFERENCES users (id) ON DELETE SET NULL,
    accepted   INTEGER NOT NULL DEFAULT 0
);
