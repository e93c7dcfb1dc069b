UPDATE subscriptions
SET seats = (SELECT count(*) FROM memberships WHERE memberships.team_id = subscriptions.team_id)
WHERE seats < (SELECT count(*) FROM memberships WHERE memberships.team_id = subscriptions.team_id);
