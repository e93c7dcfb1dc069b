OPTIMIZE TABLE notifications;
ANALYZE TABLE issues, comments;
