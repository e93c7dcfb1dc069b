-- A year a partition; the default one must be free of that year's rows first.
BEGIN;
CREATE TABLE audit.log_2022 (LIKE audit.log INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE audit.log_2022 ADD CHECK (at >= '2022-01-01' AND at < '2023-01-01');
ALTER TABLE audit.log ATTACH PARTITION audit.log_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
END;
