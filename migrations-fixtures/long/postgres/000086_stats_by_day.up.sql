CREATE TABLE stats_by_day (
    day        date NOT NULL,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    opened     integer NOT NULL DEFAULT 0,
    closed     integer NOT NULL DEFAULT 0,
    PRIMARY KEY (day, project_id)
);
INSERT INTO stats_by_day (day, project_id, opened)
SELECT opened_at::date, project_id, count(*) FROM issues GROUP BY 1, 2
ON CONFLICT (day, project_id) DO UPDATE SET opened = excluded.opened;
