CREATE OR REPLACE FUNCTION team_members(team text) RETURNS TABLE (username text, role member_role)
LANGUAGE sql STABLE AS $$
    SELECT users.username, memberships.role
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    JOIN teams ON teams.id = memberships.team_id
    WHERE teams.slug = team;
$$;
