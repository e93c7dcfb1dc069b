PRAGMA foreign_keys = 0;
CREATE TABLE attachments_2 (
    id          INTEGER PRIMARY KEY,
    issue_id    INTEGER REFERENCES issues (id) ON DELETE CASCADE,
    comment_id  INTEGER REFERENCES comments (id) ON DELETE CASCADE,
    filename    TEXT NOT NULL,
    mime        TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    sha256      BLOB NOT NULL,
    storage     TEXT NOT NULL,
    storage_key TEXT NOT NULL,
    created_at  TEXT NOT NULL DEFAULT (datetime('now')),
    CHECK ((issue_id IS NULL) <> (comment_id IS NULL))
);
INSERT INTO attachments_2
SELECT id, issue_id, NULL, filename, mime, bytes, sha256, storage, storage_key, created_at FROM attachments;
DROP TABLE attachments;
ALTER TABLE attachments_2 RENAME TO attachments;
PRAGMA foreign_keys = 1;
