CREATE TABLE imports (
    id          bigserial PRIMARY KEY,
    project_id  bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    source      text NOT NULL,
    started_by  bigint NOT NULL REFERENCES users (id),
    progress    real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    finished_at timestamptz,
    log         text[] NOT NULL DEFAULT ARRAY[]::text[]
);
