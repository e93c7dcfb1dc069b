CREATE FUNCTION doubled(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * n';
CREATE VIEW dear AS SELECT name, doubled(sold) AS sold FROM items WHERE price > 10;
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tally SET n = n + 1 WHERE name = 'code';
    RETURN NEW;
END
$$;
CREATE TRIGGER counts AFTER INSERT ON colours FOR EACH ROW EXECUTE FUNCTION counted();
INSERT INTO colours VALUES (4, 'blue', 1);
