-- We have to eat. Written on a Windows laptop on a train.
CREATE TABLE plans (
    code        TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    seat_cents  INTEGER NOT NULL,
    max_seats   INTEGER
);

INSERT INTO plans (code, title, seat_cents, max_seats) VALUES
    ('free', 'Free', 0, 5),
    ('team', 'Team', 700, 100),
    ('big', 'Big', 1200, NULL);
