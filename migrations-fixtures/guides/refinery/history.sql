CREATE TABLE refinery_schema_history (
    version INT4 PRIMARY KEY,
    name VARCHAR(255),
    applied_on VARCHAR(255),
    checksum VARCHAR(255)
);
INSERT INTO refinery_schema_history VALUES
    (1, 'create_customers', '2024-03-04T10:20:11Z', '1'),
    (2, 'create_bikes', '2024-03-04T10:20:11Z', '2'),
    (3, 'add_colour', '2024-04-11T09:30:45Z', '3');
