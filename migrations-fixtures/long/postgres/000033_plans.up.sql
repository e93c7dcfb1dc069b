-- We have to eat. Written on a Windows laptop on a train.
CREATE TABLE plans (
    code       text PRIMARY KEY,
    title      text NOT NULL,
    seat_cents integer NOT NULL,
    max_seats  integer
);

INSERT INTO plans (code, title, seat_cents, max_seats) VALUES
    ('free', 'Free', 0, 5),
    ('team', 'Team', 700, 100),
    ('big', 'Big', 1200, NULL);
