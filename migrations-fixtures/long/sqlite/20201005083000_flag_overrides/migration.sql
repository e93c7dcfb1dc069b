CREATE TABLE feature_flag_teams (
    flag    TEXT NOT NULL REFERENCES feature_flags (name) ON UPDATE CASCADE ON DELETE CASCADE,
    team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    enabled INTEGER NOT NULL,
    PRIMARY KEY (flag, team_id)
) WITHOUT ROWID;
INSERT INTO feature_flag_teams SELECT 'board', id, 1 FROM teams WHERE slug = 'us';
