DROP VIEW IF EXISTS black_bikes;
CREATE VIEW black_bikes AS SELECT id, frame FROM bikes WHERE colour = 'black';
