DROP TRIGGER audited ON memberships;
DROP TRIGGER audited ON subscriptions;
DROP TRIGGER audited ON api_tokens;
