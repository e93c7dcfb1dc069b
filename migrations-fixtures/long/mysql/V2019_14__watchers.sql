CREATE TABLE watchers (
    issue_id BIGINT UNSIGNED NOT NULL,
    user_id  BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (issue_id, user_id),
    FOREIGN KEY (issue_id) REFERENCES issues (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB;

-- Whoever wrote, was given, or commented on an issue watches it already.
INSERT INTO watchers (issue_id, user_id)
SELECT id, author_id FROM issues
UNION
SELECT id, assignee_id FROM issues WHERE assignee_id IS NOT NULL
UNION
SELECT issue_id, author_id FROM comments;
