-- One to sixty, for calendars.
CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY) ENGINE=InnoDB;

delimiter |
CREATE PROCEDURE fill_numbers(IN upto INT)
BEGIN
    DECLARE i INT DEFAULT 1;
    REPEAT
        INSERT INTO numbers (n) VALUES (i);
        SET i = i + 1;
    UNTIL i > upto END REPEAT;
END|
delimiter ;

CALL fill_numbers(60);
DROP PROCEDURE fill_numbers;
