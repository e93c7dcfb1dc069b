CREATE TABLE rate_limits (
    bucket   TEXT NOT NULL,
    window   INTEGER NOT NULL,
    used     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, window)
) WITHOUT ROWID;
