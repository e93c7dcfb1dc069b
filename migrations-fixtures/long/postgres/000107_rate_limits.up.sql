CREATE UNLOGGED TABLE rate_limits (
    bucket text NOT NULL,
    since  timestamptz NOT NULL,
    used   integer NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, since)
);
