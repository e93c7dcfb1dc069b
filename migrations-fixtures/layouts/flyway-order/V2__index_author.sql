CREATE INDEX notes_by_author ON notes (written_by);
