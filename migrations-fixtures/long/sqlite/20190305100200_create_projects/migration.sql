CREATE TABLE projects (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id    INTEGER NOT NULL REFERENCES teams (id),
    "key"      TEXT NOT NULL CHECK (length("key") BETWEEN 2 AND 10),
    title      TEXT NOT NULL,
    archived   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (team_id, "key")
);
