UPDATE memberships SET role = 'admin' WHERE user_id = 2;
