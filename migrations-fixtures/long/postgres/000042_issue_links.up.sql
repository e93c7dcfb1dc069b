CREATE TYPE link_kind AS ENUM ('blocks', 'relates');
CREATE TABLE issue_links (
    from_id bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    to_id   bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    kind    link_kind NOT NULL,
    PRIMARY KEY (from_id, to_id, kind),
    CHECK (from_id <> to_id)
);
