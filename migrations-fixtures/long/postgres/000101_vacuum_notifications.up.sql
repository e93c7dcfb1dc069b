VACUUM (ANALYZE) notifications;
