CREATE TABLE comments (
    id        bigserial PRIMARY KEY,
    issue_id  bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    author_id bigint NOT NULL REFERENCES users (id),
    body      text NOT NULL,
    posted_at timestamp NOT NULL DEFAULT now()
);
CREATE INDEX comments_issue ON comments (issue_id);
