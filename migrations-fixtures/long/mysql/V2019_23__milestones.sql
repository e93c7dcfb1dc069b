create table milestones (
  id int unsigned not null auto_increment primary key,
  project_id bigint unsigned not null,
  title varchar(100) not null,
  due_on date,
  closed boolean not null default false,
  constraint milestones_project foreign key (project_id) references projects (id) on delete cascade
) engine=InnoDB default charset=utf8mb4;
alter table issues add column milestone_id int unsigned, add constraint issues_milestone foreign key (milestone_id) references milestones (id);
