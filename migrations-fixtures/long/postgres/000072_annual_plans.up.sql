ALTER TABLE plans ADD COLUMN per text NOT NULL DEFAULT 'month' CHECK (per IN ('month', 'year'));
INSERT INTO plans (code, title, seat_cents, max_seats, per) VALUES
    ('team-yearly', 'Team, yearly', 7000, 100, 'year'),
    ('big-yearly', 'Big, yearly', 12000, NULL, 'year')
ON CONFLICT (code) DO NOTHING;
