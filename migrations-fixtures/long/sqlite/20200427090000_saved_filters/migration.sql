CREATE TABLE saved_filters (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name    TEXT NOT NULL,
    query   TEXT NOT NULL,
    UNIQUE (user_id, name)
);
INSERT INTO saved_filters (user_id, name, query)
VALUES (1, 'Mine; urgent', 'assignee:me priority:1 -state:done'),
       (2, 'Templates', 'title:"${project} kick-off"');
