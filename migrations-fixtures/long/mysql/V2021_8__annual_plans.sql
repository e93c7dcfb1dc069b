ALTER TABLE plans ADD COLUMN per ENUM('month', 'year') NOT NULL DEFAULT 'month';
INSERT IGNORE INTO plans (code, title, seat_cents, max_seats, per) VALUES
    ('team-yearly', 'Team, yearly', 7000, 100, 'year'),
    ('big-yearly', 'Big, yearly', 12000, NULL, 'year'),
    ('free', 'Free', 0, 5, 'month');
