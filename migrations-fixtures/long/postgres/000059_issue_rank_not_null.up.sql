-- Checked without a lock first, so that SET NOT NULL need not look again.
ALTER TABLE issues ADD CONSTRAINT issues_rank_set CHECK (rank IS NOT NULL) NOT VALID;
ALTER TABLE issues VALIDATE CONSTRAINT issues_rank_set;
ALTER TABLE issues ALTER COLUMN rank SET NOT NULL;
ALTER TABLE issues DROP CONSTRAINT issues_rank_set;
