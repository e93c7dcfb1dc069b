CREATE TABLE colours (id integer PRIMARY KEY, name text);
COPY colours (id, name) FROM stdin;
1	red
2	green
3	\N
\.
ALTER TABLE colours ADD COLUMN rank integer;
UPDATE colours SET rank = 10 - id;
