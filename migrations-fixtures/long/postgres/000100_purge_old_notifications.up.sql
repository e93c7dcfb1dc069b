DELETE FROM notifications WHERE read_at < now() - interval '1 year';
