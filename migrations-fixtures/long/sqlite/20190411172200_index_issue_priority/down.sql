DROP INDEX issues_priority;
