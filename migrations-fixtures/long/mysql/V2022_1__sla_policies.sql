CREATE TABLE sla_policies (
    team_id  BIGINT UNSIGNED NOT NULL,
    priority TINYINT NOT NULL,
    hours    INT NOT NULL,
    PRIMARY KEY (team_id, priority),
    CONSTRAINT sla_policies_team FOREIGN KEY (team_id) REFERENCES teams (id)
) ENGINE=InnoDB;
INSERT INTO sla_policies
SELECT teams.id, p.priority, p.hours
FROM teams CROSS JOIN (SELECT 1 AS priority, 4 AS hours UNION SELECT 2, 24 UNION SELECT 3, 72) AS p;
