DROP TABLE stats_by_day;
