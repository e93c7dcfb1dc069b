DROP TRIGGER comments_counted ON comments;
DROP FUNCTION count_comment();
