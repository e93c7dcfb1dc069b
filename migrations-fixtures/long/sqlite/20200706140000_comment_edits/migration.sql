ALTER TABLE comments ADD COLUMN edited_at TEXT;
CREATE TABLE comment_revisions (
    comment_id INTEGER NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    revision   INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (comment_id, revision)
);
CREATE TRIGGER comment_edited BEFORE UPDATE OF body ON comments
FOR EACH ROW WHEN OLD.body <> NEW.body
BEGIN
    INSERT INTO comment_revisions (comment_id, revision, body)
    SELECT OLD.id, coalesce(max(revision), 0) + 1, OLD.body
    FROM comment_revisions WHERE comment_id = OLD.id;
END;
