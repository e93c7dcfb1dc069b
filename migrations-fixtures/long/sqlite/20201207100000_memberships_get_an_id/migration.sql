-- Invitations want to point at a membership.
PRAGMA foreign_keys=off;
BEGIN TRANSACTION;
ALTER TABLE memberships RENAME TO memberships_old;
CREATE TABLE memberships (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id   INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role      TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    joined_at TEXT,
    UNIQUE (team_id, user_id)
);
INSERT INTO memberships (team_id, user_id, role) SELECT team_id, user_id, role FROM memberships_old;
DROP TABLE memberships_old;
COMMIT;
PRAGMA foreign_keys=on;
