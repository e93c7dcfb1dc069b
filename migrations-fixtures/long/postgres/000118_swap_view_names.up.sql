-- Swapped in one go: only possible with the constraint looked at afterwards.
BEGIN;
SET CONSTRAINTS saved_filters_name DEFERRED;
INSERT INTO saved_views (user_id, name, query) VALUES (1, 'Everything', '');
UPDATE saved_views SET name = CASE name WHEN 'Everything' THEN 'Mine; urgent' ELSE 'Everything' END WHERE user_id = 1;
COMMIT;
