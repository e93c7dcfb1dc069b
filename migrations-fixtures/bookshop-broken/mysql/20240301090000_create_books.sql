CREATE TABLE books (
    id    BIGINT PRIMARY KEY,
    title VARCHAR(200) NOT NULL,
    pages INT NOT NULL
);
