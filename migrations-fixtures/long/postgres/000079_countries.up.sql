-- For the tax. The list is longer on the real thing.
CREATE TABLE countries (
    code char(2) PRIMARY KEY,
    name text NOT NULL,
    vat  numeric(4, 1)
);

COPY countries (code, name, vat) FROM stdin;
AT	Austria	20.0
DE	Germany; since 1990	19.0
FR	France	20.0
JP	Japan -- consumption tax	\N
NO	Norway	25.0
\.

ALTER TABLE teams ADD COLUMN country char(2) REFERENCES countries (code);
UPDATE teams SET country = 'NO' WHERE slug = 'us';
