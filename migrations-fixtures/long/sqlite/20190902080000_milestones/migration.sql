create table milestones (
  id integer primary key,
  project_id integer not null references projects(id) on delete cascade,
  title text not null,
  due_on text check (due_on is null or due_on = date(due_on)),
  closed integer not null default 0
);
alter table issues add column milestone_id integer references milestones(id);
