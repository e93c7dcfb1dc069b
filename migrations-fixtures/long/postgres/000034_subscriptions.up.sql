CREATE TABLE subscriptions (
    id        bigserial PRIMARY KEY,
    team_id   bigint NOT NULL REFERENCES teams (id),
    plan_code text NOT NULL REFERENCES plans (code) ON UPDATE CASCADE,
    seats     integer NOT NULL DEFAULT 1,
    during    daterange NOT NULL
);

INSERT INTO subscriptions (team_id, plan_code, seats, during)
SELECT teams.id, 'free', greatest(1, (SELECT count(*) FROM memberships WHERE team_id = teams.id)), '[2020-01-01,)'
FROM teams;
