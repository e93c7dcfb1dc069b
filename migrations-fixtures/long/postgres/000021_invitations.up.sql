CREATE TABLE invitations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id    bigint NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    email      text NOT NULL,
    token      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    invited_by bigint REFERENCES users (id) ON DELETE SET NULL,
    accepted   boolean NOT NULL DEFAULT false
);
