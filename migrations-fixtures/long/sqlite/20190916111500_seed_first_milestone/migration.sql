insert into milestones (id, project_id, title, due_on) values (1, 1, 'Beta', '2019-10-01');
update issues set milestone_id = 1 where project_id = 1 and state <> 'done';
