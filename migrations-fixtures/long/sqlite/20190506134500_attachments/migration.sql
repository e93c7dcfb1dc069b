CREATE TABLE attachments (
    id         INTEGER PRIMARY KEY,
    issue_id   INTEGER NOT NULL REFERENCES issues (id),
    filename   TEXT NOT NULL,
    mime       TEXT NOT NULL DEFAULT 'application/octet-stream',
    bytes      INTEGER NOT NULL,
    sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
INSERT INTO attachments (id, issue_id, filename, mime, bytes, sha256)
VALUES (1, 1, 'cookie.png', 'image/png', 48213, x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
