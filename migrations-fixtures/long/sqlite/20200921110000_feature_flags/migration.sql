CREATE TABLE feature_flags (
    name       TEXT PRIMARY KEY,
    enabled    INTEGER NOT NULL DEFAULT 0,
    rollout    INTEGER NOT NULL DEFAULT 100 CHECK (rollout BETWEEN 0 AND 100),
    note       TEXT
) WITHOUT ROWID;
INSERT INTO feature_flags (name, enabled, rollout) VALUES ('board', 0, 10), ('dark-mode', 1, 100);
