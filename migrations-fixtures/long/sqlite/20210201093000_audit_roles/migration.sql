CREATE TRIGGER membership_role_changed AFTER UPDATE OF role ON memberships
WHEN OLD.role <> NEW.role
BEGIN
    INSERT INTO audit_log (team_id, actor, action, before, after)
    VALUES (NEW.team_id, 'user:' || NEW.user_id, 'role', json_object('role', OLD.role), json_object('role', NEW.role));
END;
UPDATE memberships SET role = 'admin' WHERE user_id = 2;
