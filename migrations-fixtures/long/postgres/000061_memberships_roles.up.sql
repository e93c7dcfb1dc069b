DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'member_role') THEN
        CREATE TYPE member_role AS ENUM ('owner', 'admin', 'member', 'guest');
    END IF;
END
$$;
ALTER TABLE memberships ALTER COLUMN role DROP DEFAULT;
ALTER TABLE memberships ALTER COLUMN role TYPE member_role USING role::member_role;
ALTER TABLE memberships ALTER COLUMN role SET DEFAULT 'member';
