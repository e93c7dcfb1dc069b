ALTER TABLE subscriptions DROP COLUMN team_span;
