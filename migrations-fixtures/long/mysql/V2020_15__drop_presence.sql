-- Nobody set it after the second week.
DROP TABLE presence;
