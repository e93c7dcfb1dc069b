CREATE TABLE bikes (
    id       integer PRIMARY KEY,
    customer integer NOT NULL REFERENCES customers (id),
    frame    varchar(40) NOT NULL
);
