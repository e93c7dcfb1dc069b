CREATE TABLE recurring_issues (
    id          bigserial PRIMARY KEY,
    template_id bigint NOT NULL REFERENCES issue_templates (id) ON DELETE CASCADE,
    every       interval NOT NULL,
    next_on     date NOT NULL,
    paused      boolean NOT NULL DEFAULT false
);
