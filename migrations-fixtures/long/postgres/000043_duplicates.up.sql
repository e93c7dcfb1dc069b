-- The value and its first use in one file: they cannot share a transaction.
ALTER TYPE link_kind ADD VALUE IF NOT EXISTS 'duplicates';

INSERT INTO issue_links (from_id, to_id, kind) VALUES (2, 1, 'duplicates');
