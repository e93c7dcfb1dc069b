INSERT INTO custom_fields (project_id, name, kind, options) VALUES
    (1, 'Browser', 'choice', ARRAY['Firefox', 'Chrome', 'Safari']),
    (2, 'Cost', 'number', NULL);
INSERT INTO custom_field_values
SELECT 1, id, 'Firefox' FROM custom_fields WHERE name = 'Browser'
UNION ALL
SELECT 3, id, '12.50' FROM custom_fields WHERE name = 'Cost';
