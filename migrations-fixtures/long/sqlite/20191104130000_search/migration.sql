-- Full text over titles and bodies. The index keeps no text of its own.
CREATE VIRTUAL TABLE issue_search USING fts5 (title, body, content = 'issues', content_rowid = 'id');

INSERT INTO issue_search (issue_search) VALUES ('rebuild');
