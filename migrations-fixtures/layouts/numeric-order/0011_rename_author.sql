ALTER TABLE notes RENAME COLUMN author TO written_by;
