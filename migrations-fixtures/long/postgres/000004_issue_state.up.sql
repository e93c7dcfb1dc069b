CREATE TYPE issue_state AS ENUM ('todo', 'doing', 'done');
