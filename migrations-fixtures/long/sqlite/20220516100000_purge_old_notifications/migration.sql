DELETE FROM notifications WHERE read_at < datetime('now', '-1 year');
