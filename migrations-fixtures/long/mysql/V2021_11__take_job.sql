DELIMITER //
CREATE PROCEDURE take_job(IN worker VARCHAR(60), IN from_queue VARCHAR(40))
    MODIFIES SQL DATA
    COMMENT 'one job; none if nothing waits'
BEGIN
    DECLARE found BIGINT UNSIGNED DEFAULT NULL;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET found = NULL;

    START TRANSACTION;
    SELECT id INTO found FROM jobs
    WHERE queue = from_queue AND locked_by IS NULL AND run_at <= NOW(3)
    ORDER BY run_at LIMIT 1 FOR UPDATE;
    UPDATE jobs SET locked_by = worker, attempts = attempts + 1 WHERE id = found;
    COMMIT;
    SELECT * FROM jobs WHERE id = found;
END //
DELIMITER ;
