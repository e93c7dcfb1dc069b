CREATE TABLE watchers (
    issue_id bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    user_id  bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (issue_id, user_id)
);

-- Whoever wrote, was given, or commented on an issue watches it already.
INSERT INTO watchers (issue_id, user_id)
SELECT id, author_id FROM issues
UNION
SELECT id, assignee_id FROM issues WHERE assignee_id IS NOT NULL
UNION
SELECT issue_id, author_id FROM comments;
