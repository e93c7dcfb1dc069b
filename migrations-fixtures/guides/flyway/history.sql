CREATE TABLE flyway_schema_history (
    installed_rank INT NOT NULL PRIMARY KEY,
    version VARCHAR(50),
    description VARCHAR(200) NOT NULL,
    type VARCHAR(20) NOT NULL,
    script VARCHAR(1000) NOT NULL,
    checksum INT,
    installed_by VARCHAR(100) NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    execution_time INT NOT NULL,
    success BOOLEAN NOT NULL
);
INSERT INTO flyway_schema_history VALUES
    (1, '1', 'create customers', 'SQL', 'V1__create_customers.sql', 1, 'ada', '2024-03-04 10:20:11', 3, TRUE),
    (2, '2', 'create bikes', 'SQL', 'V2__create_bikes.sql', 2, 'ada', '2024-03-04 10:20:11', 3, TRUE),
    (3, '3', 'add colour', 'SQL', 'V3__add_colour.sql', 3, 'ada', '2024-04-11 09:30:45', 3, TRUE),
    (4, NULL, 'black bikes', 'SQL', 'R__black_bikes.sql', 4, 'ada', '2024-04-11 09:30:45', 3, TRUE);
