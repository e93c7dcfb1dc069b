CREATE INDEX CONCURRENTLY issue_events_issue
    ON issue_events (issue_id, at)
