CREATE TABLE commits (
    sha          text NOT NULL CHECK (sha ~ '^[0-9a-f]{40}$'),
    project_id   bigint NOT NULL,
    message      text NOT NULL,
    committed_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, sha)
) PARTITION BY HASH (project_id);
CREATE TABLE commits_0 PARTITION OF commits FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE commits_1 PARTITION OF commits FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX commits_when ON commits USING brin (committed_at);
