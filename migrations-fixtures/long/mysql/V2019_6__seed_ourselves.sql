# We track our own work in our own tracker, from the first week.
INSERT INTO users (id, email, password_hash, name, created_at) VALUES
    (1, 'nadia@tracker.example', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', 'Nadia', '2019-03-04 09:30:00'),
    (2, 'tomas@tracker.example', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdB$aGFzaB', 'Tomas', '2019-03-04 09:31:00'),
    (3, 'yuki@tracker.example', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdC$aGFzaC', 'Yuki', '2019-03-05 10:00:00');
INSERT INTO teams (id, slug, name) VALUES (1, 'us', 'Us; the ones who make it');
INSERT INTO memberships (team_id, user_id, role) VALUES (1, 1, 'owner'), (1, 2, 'member'), (1, 3, 'member');
INSERT INTO projects (id, team_id, `key`, title) VALUES (1, 1, 'APP', 'The app'), (2, 1, 'OPS', 'Keeping it up');
INSERT INTO issues (id, project_id, number, title, body, author_id, assignee_id, opened_at) VALUES
    (1, 1, 1, 'Sign-in forgets me', 'It\'s the cookie.\nOr is it?', 1, 2, '2019-03-14 09:00:00'),
    (2, 1, 2, "Titles with \"quotes\" look odd", NULL, 3, NULL, '2019-03-14 09:20:00'),
    (3, 2, 1, 'Back up the database', 'Daily;
and try a restore -- monthly.', 2, 2, '2019-03-14 10:00:00');
INSERT INTO comments (id, issue_id, author_id, body, posted_at) VALUES
    (1, 1, 2, 'Found it: SameSite. # not a comment', '2019-03-14 11:00:00'),
    (2, 3, 1, '/* not a comment */ but a comment; C:\\backup\\', '2019-03-14 11:30:00');
