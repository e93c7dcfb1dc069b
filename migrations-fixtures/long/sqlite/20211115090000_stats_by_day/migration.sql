CREATE TABLE stats_by_day (
    day        TEXT NOT NULL,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    opened     INTEGER NOT NULL DEFAULT 0,
    closed     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, project_id)
) WITHOUT ROWID;
INSERT INTO stats_by_day (day, project_id, opened)
SELECT date(opened_at), project_id, count(*) FROM issues GROUP BY 1, 2
ON CONFLICT (day, project_id) DO UPDATE SET opened = excluded.opened;
