CREATE TABLE customers (id integer PRIMARY KEY, name varchar(80) NOT NULL);
