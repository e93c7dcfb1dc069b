SET NAMES utf8mb4;
ALTER TABLE issues CONVERT TO CHARACTER SET utf8mb4;
UPDATE issues SET title = 'Sign-in forgets me 🍪' WHERE id = 1;
