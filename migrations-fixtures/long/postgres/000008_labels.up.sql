CREATE TABLE labels (
    id         bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       text NOT NULL,
    colour     char(7) NOT NULL DEFAULT '#cccccc' CHECK (colour ~* '^#[0-9a-f]{6}$')
);
CREATE UNIQUE INDEX labels_name ON labels (project_id, lower(name));

CREATE TABLE issue_labels (
    issue_id bigint NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    label_id bigint NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
    PRIMARY KEY (issue_id, label_id)
);
