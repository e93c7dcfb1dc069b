-- Not needed after all, so not kept.
ALTER TABLE sessions DROP COLUMN user_agent;
