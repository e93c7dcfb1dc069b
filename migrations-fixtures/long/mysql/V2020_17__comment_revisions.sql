ALTER TABLE comments ADD COLUMN edited_at DATETIME;
CREATE TABLE comment_revisions (
    comment_id BIGINT UNSIGNED NOT NULL,
    revision   INT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (comment_id, revision),
    FOREIGN KEY (comment_id) REFERENCES comments (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

delimiter //
CREATE TRIGGER comment_edited BEFORE UPDATE ON comments
FOR EACH ROW
BEGIN
    DECLARE last INT DEFAULT 0;
    IF OLD.body <> NEW.body THEN
        SELECT IFNULL(MAX(revision), 0) INTO last FROM comment_revisions WHERE comment_id = OLD.id;
        INSERT INTO comment_revisions (comment_id, revision, body) VALUES (OLD.id, last + 1, OLD.body);
        SET NEW.edited_at = NOW();
    END IF;
END//
