-- The labels of the demo project, from a dump. One session, one lock.
LOCK TABLES labels WRITE, projects READ;
/*!40000 ALTER TABLE labels DISABLE KEYS */;
INSERT INTO labels (project_id, name, colour) VALUES (1,'docs','#0075ca'),(1,'won\'t do','#ffffff'),(2,'outage','#b60205');
/*!40000 ALTER TABLE labels ENABLE KEYS */;
UNLOCK TABLES;
