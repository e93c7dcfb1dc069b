-- The server reads compound bodies as they are: no DELIMITER here.
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
FOR EACH ROW
BEGIN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is never changed';
END;

CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
FOR EACH ROW
BEGIN
    IF OLD.id > 0 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is never shortened; ask';
    END IF;
END;
