ALTER TABLE custom_field_values
    ADD COLUMN number_value DECIMAL(20, 4) GENERATED ALWAYS AS (CASE WHEN value REGEXP '^-?[0-9]+(\\.[0-9]+)?$' THEN CAST(value AS DECIMAL(20, 4)) END) VIRTUAL;
CREATE INDEX custom_field_numbers ON custom_field_values (field_id, number_value);
