CREATE TABLE time_entries (
    id       bigserial PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    user_id  bigint NOT NULL REFERENCES users (id),
    spent    interval NOT NULL CHECK (spent > '0' AND spent <= '1 day'),
    spent_on date NOT NULL
);
CREATE INDEX time_entries_by_user ON time_entries (user_id, spent_on DESC NULLS LAST) INCLUDE (spent);
