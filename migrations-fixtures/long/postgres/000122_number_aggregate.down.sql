DROP INDEX custom_field_numbers;
DROP FUNCTION try_numeric(text);
