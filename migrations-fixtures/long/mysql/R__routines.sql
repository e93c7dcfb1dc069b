DROP PROCEDURE IF EXISTS team_members;
DELIMITER //
CREATE PROCEDURE team_members(IN team VARCHAR(60))
    READS SQL DATA
BEGIN
    SELECT users.username, memberships.role
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    JOIN teams ON teams.id = memberships.team_id
    WHERE teams.slug = team;
END //
DELIMITER ;
