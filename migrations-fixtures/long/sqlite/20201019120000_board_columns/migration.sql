CREATE TABLE board_columns (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    title      TEXT NOT NULL,
    state      TEXT NOT NULL,
    position   INTEGER NOT NULL
);
WITH states (state, title, position) AS (
    VALUES ('todo', 'To do', 1), ('doing', 'In progress', 2), ('review', 'In review', 3), ('done', 'Done', 4)
)
INSERT INTO board_columns (project_id, title, state, position)
SELECT projects.id, states.title, states.state, states.position
FROM projects, states;
