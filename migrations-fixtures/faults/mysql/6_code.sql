CREATE TABLE log (n int);
CREATE TRIGGER logs AFTER INSERT ON stray FOR EACH ROW INSERT INTO log VALUES (NEW.n);
CREATE VIEW dear AS SELECT name FROM goods WHERE sold > 0;
CREATE PROCEDURE add_twice() BEGIN
    UPDATE tally SET n = n + 1 WHERE name = 'call';
    COMMIT;
    UPDATE tally SET n = n + 10 WHERE name = 'call';
END;
CREATE FUNCTION doubled(n int) RETURNS int DETERMINISTIC RETURN 2 * n;
INSERT INTO stray (n) VALUES (1), (2);
