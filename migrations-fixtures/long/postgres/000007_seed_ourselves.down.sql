TRUNCATE comments, issues, projects, memberships, teams, users RESTART IDENTITY;
