CREATE TABLE sla_policies (
    team_id  bigint NOT NULL REFERENCES teams (id),
    priority smallint NOT NULL,
    within   interval NOT NULL,
    PRIMARY KEY (team_id, priority)
);
INSERT INTO sla_policies
SELECT teams.id, p.priority, p.within
FROM teams, (VALUES (1::smallint, interval '4 hours'), (2, '1 day'), (3, '3 days')) AS p (priority, within);
