CREATE PROCEDURE close_stale_issues(IN older_than DATE)
BEGIN
    DECLARE finished BOOLEAN DEFAULT FALSE;
    DECLARE stale BIGINT UNSIGNED;
    DECLARE all_stale CURSOR FOR SELECT id FROM issues WHERE state = 'todo' AND opened_at < older_than;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET finished = TRUE;

    OPEN all_stale;
    each_one: LOOP
        FETCH all_stale INTO stale;
        IF finished THEN LEAVE each_one; END IF;
        CASE stale
            WHEN 0 THEN ITERATE each_one;
            ELSE UPDATE issues SET state = 'done' WHERE id = stale;
        END CASE;
    END LOOP each_one;
    CLOSE all_stale;
END;

-- There is no DELIMITER in this file: a client that cuts at every semicolon cannot read it.
CREATE PROCEDURE nothing_to_do() COMMENT 'a body without BEGIN' SELECT 'nothing; really' AS answer;
