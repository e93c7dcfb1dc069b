CREATE TABLE attachments (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    issue_id BIGINT UNSIGNED NOT NULL,
    filename VARCHAR(255) NOT NULL,
    mime     VARCHAR(100) NOT NULL DEFAULT 'application/octet-stream',
    bytes    BIGINT UNSIGNED NOT NULL,
    sha256   BINARY(32) NOT NULL,
    CONSTRAINT attachments_issue FOREIGN KEY (issue_id) REFERENCES issues (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO attachments (issue_id, filename, mime, bytes, sha256)
VALUES (1, 'cookie.png', 'image/png', 48213, x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'),
       (1, 'jar.png', 'image/png', 1024, 0xffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100);
