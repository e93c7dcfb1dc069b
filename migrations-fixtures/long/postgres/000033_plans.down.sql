DROP TABLE plans;
