DROP TRIGGER comments_counted;
DROP TRIGGER comments_uncounted;
