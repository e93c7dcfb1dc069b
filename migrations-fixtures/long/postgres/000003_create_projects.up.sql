CREATE TABLE projects (
    id       bigserial PRIMARY KEY,
    team_id  bigint NOT NULL REFERENCES teams (id),
    key      text NOT NULL CHECK (key ~ '^[A-Z]{2,10}$'),
    title    text NOT NULL,
    archived boolean NOT NULL DEFAULT false,
    UNIQUE (team_id, key)
);
