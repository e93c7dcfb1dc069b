ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

INSERT INTO notes (id, body, pinned) VALUES (1, 'water the ferns; then leave', 1);
