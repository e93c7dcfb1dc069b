ALTER TABLE subscriptions ADD COLUMN team_span int8range GENERATED ALWAYS AS (int8range(team_id, team_id, '[]')) STORED;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_overlap EXCLUDE USING gist (team_span WITH &&, during WITH &&);
