CREATE TYPE field_kind AS ENUM ('text', 'number', 'date', 'choice');
CREATE TABLE custom_fields (
    id         bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       text NOT NULL,
    kind       field_kind NOT NULL,
    options    text[],
    CHECK ((kind = 'choice') = (options IS NOT NULL))
);
CREATE TABLE custom_field_values (
    issue_id bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    field_id bigint NOT NULL REFERENCES custom_fields (id) ON DELETE CASCADE,
    value    text,
    PRIMARY KEY (issue_id, field_id)
);
