CREATE TABLE attachments (
    id         bigserial PRIMARY KEY,
    issue_id   bigint NOT NULL REFERENCES issues (id),
    filename   text NOT NULL,
    mime       text NOT NULL DEFAULT 'application/octet-stream',
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32)
);
INSERT INTO attachments (issue_id, filename, mime, bytes, sha256)
VALUES (1, 'cookie.png', 'image/png', 48213, '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
