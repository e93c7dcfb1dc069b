CREATE SCHEMA audit;
CREATE TABLE audit.log (
    id     bigint GENERATED ALWAYS AS IDENTITY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    tbl    regclass NOT NULL,
    actor  text NOT NULL DEFAULT session_user,
    action text NOT NULL,
    before jsonb,
    after  jsonb,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE audit.log_2020 PARTITION OF audit.log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE audit.log_2021 PARTITION OF audit.log FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE audit.log_rest PARTITION OF audit.log DEFAULT;
