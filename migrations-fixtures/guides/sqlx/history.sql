CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES
    (20240304101500, 'create customers', '2024-03-04 10:20:11', TRUE, x'01', 102000),
    (20240304102000, 'create bikes', '2024-03-04 10:20:11', TRUE, x'02', 98000),
    (20240411090000, 'add colour', '2024-04-11 09:30:45', TRUE, x'03', 77000);
