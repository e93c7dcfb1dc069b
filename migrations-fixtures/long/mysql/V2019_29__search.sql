ALTER TABLE issues ADD FULLTEXT KEY issues_search (title, body);
