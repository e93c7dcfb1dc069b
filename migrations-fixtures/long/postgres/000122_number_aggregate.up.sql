CREATE FUNCTION try_numeric(value text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE STRICT AS $fn$
BEGIN
    RETURN value::numeric;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN NULL;
END;
$fn$;
CREATE INDEX custom_field_numbers ON custom_field_values (field_id, try_numeric(value));
