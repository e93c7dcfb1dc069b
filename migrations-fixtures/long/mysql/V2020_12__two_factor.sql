ALTER TABLE users ADD COLUMN totp_secret VARBINARY(64);
CREATE TABLE recovery_codes (
    user_id   BIGINT UNSIGNED NOT NULL,
    code_hash BINARY(32) NOT NULL,
    used_at   DATETIME,
    PRIMARY KEY (user_id, code_hash),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB;
