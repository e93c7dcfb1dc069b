-- fts5 options are fixed at creation: make it again.
DROP TABLE issue_search;
CREATE VIRTUAL TABLE issue_search USING fts5 (
    title, body,
    content = 'issues', content_rowid = 'id',
    prefix = '2 3', tokenize = "unicode61 remove_diacritics 2"
);
INSERT INTO issue_search (issue_search) VALUES ('rebuild');
