CREATE TABLE milestones (
    id         bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    title      text NOT NULL,
    due_on     date,
    closed     boolean NOT NULL DEFAULT false
);
ALTER TABLE issues ADD COLUMN milestone_id bigint REFERENCES milestones (id);
