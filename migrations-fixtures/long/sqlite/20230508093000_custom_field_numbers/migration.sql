CREATE INDEX custom_field_numbers ON custom_field_values (field_id, CAST(value AS REAL)) WHERE value GLOB '[0-9]*';
