CREATE TABLE sla_policies (
    id         INTEGER PRIMARY KEY,
    team_id    INTEGER NOT NULL REFERENCES teams (id),
    priority   INTEGER NOT NULL,
    hours      INTEGER NOT NULL,
    UNIQUE (team_id, priority)
);
INSERT INTO sla_policies (team_id, priority, hours)
SELECT id, column1, column2 FROM teams, (VALUES (1, 4), (2, 24), (3, 72));
