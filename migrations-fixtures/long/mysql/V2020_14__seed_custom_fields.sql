INSERT INTO custom_fields (id, project_id, name, kind, options) VALUES
    (1, 1, 'Browser', 'choice', '["Firefox", "Chrome", "Safari"]'),
    (2, 2, 'Cost', 'number', NULL);
INSERT INTO custom_field_values VALUES (1, 1, 'Firefox'), (3, 2, '12.50');
