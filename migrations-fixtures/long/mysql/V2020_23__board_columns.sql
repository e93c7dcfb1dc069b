CREATE TABLE board_columns (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    project_id BIGINT UNSIGNED NOT NULL,
    title      VARCHAR(60) NOT NULL,
    state      VARCHAR(20) NOT NULL,
    position   INT NOT NULL,
    CONSTRAINT board_columns_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO board_columns (project_id, title, state, position)
SELECT projects.id, s.title, s.state, s.position
FROM projects,
     (SELECT 'To do' AS title, 'todo' AS state, 1 AS position
      UNION ALL SELECT 'In progress', 'doing', 2
      UNION ALL SELECT 'Done', 'done', 4) AS s
ORDER BY projects.id, s.position;
