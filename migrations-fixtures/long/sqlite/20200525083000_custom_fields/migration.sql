CREATE TABLE custom_fields (
    id         INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('text', 'number', 'date', 'choice')),
    options    TEXT CHECK (options IS NULL OR json_type(options) = 'array')
);
CREATE TABLE custom_field_values (
    issue_id INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    field_id INTEGER NOT NULL REFERENCES custom_fields (id) ON DELETE CASCADE,
    value    TEXT,
    PRIMARY KEY (issue_id, field_id)
);
