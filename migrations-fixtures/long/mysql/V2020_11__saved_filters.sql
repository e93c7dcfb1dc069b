CREATE TABLE saved_filters (
    id      INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT UNSIGNED NOT NULL,
    name    VARCHAR(100) NOT NULL,
    query   TEXT NOT NULL,
    UNIQUE KEY saved_filters_name (user_id, name),
    CONSTRAINT saved_filters_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO saved_filters (user_id, name, query) VALUES
    (1, 'Mine; urgent', 'assignee:me priority:1 -state:done'),
    (2, 'Templates', 'title:"${project} kick-off"'),
    (3, _utf8mb4'Übersicht', "label:'it''s $1 or ""2""'");
