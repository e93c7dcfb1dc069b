CALL add_twice();
