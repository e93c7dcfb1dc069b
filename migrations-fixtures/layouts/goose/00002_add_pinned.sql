-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

INSERT INTO notes (id, body, pinned) VALUES (1, 'water the ferns; then leave', 1);

-- +goose StatementBegin
CREATE TRIGGER notes_have_a_body BEFORE INSERT ON notes
WHEN NEW.body = ''
BEGIN
    SELECT RAISE(ABORT, 'a note needs a body; write one');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER notes_have_a_body;
DELETE FROM notes WHERE id = 1;

ALTER TABLE notes DROP COLUMN pinned;
