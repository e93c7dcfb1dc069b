ALTER TABLE comments ADD COLUMN edited_at timestamptz;
CREATE TABLE comment_revisions (
    comment_id bigint NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    revision   integer NOT NULL,
    body       text NOT NULL,
    PRIMARY KEY (comment_id, revision)
);
CREATE FUNCTION keep_revision() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    INSERT INTO comment_revisions
    SELECT OLD.id, coalesce(max(revision), 0) + 1, OLD.body FROM comment_revisions WHERE comment_id = OLD.id;
    NEW.edited_at := now(); -- the author''s edit; not ours
    RETURN NEW;
END;';
CREATE TRIGGER comment_edited BEFORE UPDATE OF body ON comments
FOR EACH ROW WHEN (OLD.body <> NEW.body) EXECUTE FUNCTION keep_revision();
