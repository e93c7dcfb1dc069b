CREATE TABLE activity (
    id       bigserial,
    issue_id bigint NOT NULL,
    actor_id bigint,
    verb     text NOT NULL,
    detail   text,
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_issue ON activity (issue_id, at DESC);
