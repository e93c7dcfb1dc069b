CREATE TABLE board_columns (
    id         bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    title      text NOT NULL,
    state      issue_state NOT NULL,
    position   integer NOT NULL
);
INSERT INTO board_columns (project_id, title, state, position)
SELECT projects.id, initcap(states.state::text), states.state, states.position
FROM projects, unnest(enum_range(NULL::issue_state)) WITH ORDINALITY AS states (state, position);
