SET lock_timeout = '5s';
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS issues_search ON issues USING gin (search);
RESET lock_timeout;
