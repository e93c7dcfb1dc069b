SET SESSION sql_mode = 'ANSI_QUOTES';
CREATE TABLE "quoted" ("n" int);
INSERT INTO "quoted" VALUES (1);
UPDATE tally SET n = n + 1 WHERE name = 'settings';
SET foreign_key_checks = 0;
CREATE TABLE child (id int PRIMARY KEY, parent int, CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parent (id));
CREATE TABLE parent (id int PRIMARY KEY);
UPDATE tally SET n = n + 10 WHERE name = 'settings';
