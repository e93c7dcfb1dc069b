-- We have to eat. Written on a Windows laptop on a train.
CREATE TABLE plans (
    code       VARCHAR(20) NOT NULL PRIMARY KEY,
    title      VARCHAR(60) NOT NULL,
    seat_cents INT NOT NULL,
    max_seats  INT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

INSERT INTO plans (code, title, seat_cents, max_seats) VALUES
    ('free', 'Free', 0, 5),
    ('team', 'Team', 700, 100),
    ('big', 'Big', 1200, NULL);
