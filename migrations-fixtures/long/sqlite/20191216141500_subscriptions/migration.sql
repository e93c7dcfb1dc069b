CREATE TABLE subscriptions (
    id         INTEGER PRIMARY KEY,
    team_id    INTEGER NOT NULL UNIQUE REFERENCES teams (id),
    plan_code  TEXT NOT NULL REFERENCES plans (code) ON UPDATE CASCADE,
    seats      INTEGER NOT NULL DEFAULT 1,
    starts_on  TEXT NOT NULL,
    ends_on    TEXT,
    CHECK (ends_on IS NULL OR ends_on > starts_on)
);

INSERT INTO subscriptions (team_id, plan_code, seats, starts_on)
SELECT teams.id, 'free', max(1, (SELECT count(*) FROM memberships WHERE team_id = teams.id)), '2020-01-01'
FROM teams;
