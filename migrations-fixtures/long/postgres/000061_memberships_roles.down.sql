ALTER TABLE memberships ALTER COLUMN role DROP DEFAULT;
ALTER TABLE memberships ALTER COLUMN role TYPE text;
ALTER TABLE memberships ALTER COLUMN role SET DEFAULT 'member';
DROP TYPE member_role;
