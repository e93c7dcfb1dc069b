-- Neither a transaction nor a look at the table tells how far a crash let it come; a replay does.
LOCK TABLES goods WRITE;
ALTER TABLE goods ADD COLUMN size int;
ALTER TABLE goods ADD COLUMN colour int;
UNLOCK TABLES;
