DELIMITER ;;
CREATE TRIGGER membership_role_changed AFTER UPDATE ON memberships
FOR EACH ROW BEGIN
    IF OLD.role <> NEW.role THEN
        INSERT INTO audit_log (actor, action, old_value, new_value)
        VALUES (CONCAT('user:', NEW.user_id), 'role', JSON_OBJECT('role', OLD.role), JSON_OBJECT('role', NEW.role));
    END IF;
END ;;
DELIMITER ;
UPDATE memberships SET role = 'admin' WHERE user_id = 2;
