CREATE TABLE subscriptions (
    id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    team_id   BIGINT UNSIGNED NOT NULL,
    plan_code VARCHAR(20) NOT NULL,
    seats     INT NOT NULL DEFAULT 1,
    starts_on DATE NOT NULL,
    ends_on   DATE,
    UNIQUE KEY subscriptions_team (team_id),
    CONSTRAINT subscriptions_team FOREIGN KEY (team_id) REFERENCES teams (id),
    CONSTRAINT subscriptions_plan FOREIGN KEY (plan_code) REFERENCES plans (code) ON UPDATE CASCADE,
    CONSTRAINT subscriptions_dates CHECK (ends_on IS NULL OR ends_on > starts_on)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

INSERT INTO subscriptions (team_id, plan_code, seats, starts_on)
SELECT team_id, 'free', COUNT(*), '2020-01-01' FROM memberships GROUP BY team_id;
