DELIMITER $$
DROP FUNCTION IF EXISTS initials$$
CREATE FUNCTION initials(full_name VARCHAR(200) CHARACTER SET utf8mb4) RETURNS VARCHAR(20) CHARACTER SET utf8mb4
    DETERMINISTIC NO SQL
BEGIN
    DECLARE result VARCHAR(20) CHARACTER SET utf8mb4 DEFAULT '';
    DECLARE rest VARCHAR(200) CHARACTER SET utf8mb4 DEFAULT TRIM(full_name);
    words: WHILE CHAR_LENGTH(rest) > 0 DO
        SET result = CONCAT(result, UPPER(LEFT(rest, 1)));
        IF LOCATE(' ', rest) = 0 THEN
            LEAVE words;
        END IF;
        SET rest = LTRIM(SUBSTRING(rest, LOCATE(' ', rest)));
    END WHILE words;
    RETURN result;
END$$
DELIMITER ;
ALTER TABLE users ADD COLUMN initials VARCHAR(20);
UPDATE users SET initials = initials(name);
