CREATE TABLE webhooks (
    id         bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    url        text NOT NULL CHECK (url LIKE 'https://%'),
    secret     text NOT NULL,
    events     jsonb NOT NULL DEFAULT '["*"]',
    active     boolean NOT NULL DEFAULT true
);
CREATE TABLE webhook_deliveries (
    id          bigserial PRIMARY KEY,
    webhook_id  bigint NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    body        text NOT NULL,
    status_code integer,
    tries       integer NOT NULL DEFAULT 0,
    next_try_at timestamptz
);
