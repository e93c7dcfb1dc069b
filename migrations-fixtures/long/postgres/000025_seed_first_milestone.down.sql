UPDATE issues SET milestone_id = NULL;
DELETE FROM milestones WHERE title = 'Beta';
