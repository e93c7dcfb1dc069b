DELETE FROM custom_fields;
