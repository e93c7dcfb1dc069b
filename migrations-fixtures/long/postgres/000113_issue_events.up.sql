CREATE TABLE issue_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    actor_id bigint REFERENCES users (id) ON DELETE SET NULL,
    kind     text NOT NULL,
    data     jsonb NOT NULL DEFAULT '{}',
    at       timestamptz NOT NULL
);
INSERT INTO issue_events (issue_id, actor_id, kind, data, at)
SELECT issue_id, actor_id, verb, jsonb_build_object('detail', detail), at FROM activity;
