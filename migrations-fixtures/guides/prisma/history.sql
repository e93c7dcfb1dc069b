CREATE TABLE _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at DATETIME,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at DATETIME,
    started_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    applied_steps_count INTEGER NOT NULL DEFAULT 0
);
INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES
    ('1', '1', '2024-03-04 10:20:11', '20240304101500_create_customers', 1),
    ('2', '2', '2024-03-04 10:20:11', '20240304102000_create_bikes', 1),
    ('3', '3', '2024-04-11 09:30:45', '20240411090000_add_colour', 1);
