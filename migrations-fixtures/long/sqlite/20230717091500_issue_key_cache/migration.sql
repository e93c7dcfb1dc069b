CREATE TEMP TABLE keys AS SELECT id, ref FROM issue_refs;
ALTER TABLE issues ADD COLUMN ref TEXT;
UPDATE issues SET ref = (SELECT ref FROM keys WHERE keys.id = issues.id);
DROP TABLE temp.keys;
CREATE UNIQUE INDEX issues_ref ON issues (ref);
