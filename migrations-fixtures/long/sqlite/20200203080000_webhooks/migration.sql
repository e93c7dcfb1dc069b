CREATE TABLE webhooks (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    url        TEXT NOT NULL CHECK (url LIKE 'https://%'),
    secret     TEXT NOT NULL,
    events     TEXT NOT NULL DEFAULT '["*"]' CHECK (json_valid(events)),
    active     INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE webhook_deliveries (
    id          INTEGER PRIMARY KEY,
    webhook_id  INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    body        TEXT NOT NULL,
    status_code INTEGER,
    tries       INTEGER NOT NULL DEFAULT 0,
    next_try_at TEXT
);
