CREATE TABLE issues (
    id          bigserial PRIMARY KEY,
    project_id  bigint NOT NULL REFERENCES projects (id),
    number      integer NOT NULL,
    title       text NOT NULL,
    body        text,
    state       issue_state NOT NULL DEFAULT 'todo',
    author_id   bigint NOT NULL REFERENCES users (id),
    assignee_id bigint REFERENCES users (id),
    opened_at   timestamp NOT NULL DEFAULT now(),
    closed_at   timestamp,
    UNIQUE (project_id, number)
);

CREATE INDEX issues_assignee ON issues (assignee_id);
CREATE INDEX issues_state ON issues (project_id, state);
