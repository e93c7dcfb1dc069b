DROP TABLE feature_flag_teams;
DROP TABLE feature_flags;
