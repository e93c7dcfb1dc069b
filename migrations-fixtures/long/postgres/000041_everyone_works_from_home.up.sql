CREATE UNLOGGED TABLE presence (
    user_id bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    state   text NOT NULL DEFAULT 'away',
    at      timestamptz NOT NULL DEFAULT now()
);
