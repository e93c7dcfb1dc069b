DROP TABLE custom_field_values;
DROP TABLE custom_fields;
DROP TYPE field_kind;
