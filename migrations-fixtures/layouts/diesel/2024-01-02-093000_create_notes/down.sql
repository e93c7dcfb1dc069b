-- Down.
DROP TABLE notes;
