INSERT INTO books (id, title, pages) VALUES
    (1, 'The Owl Service', 224),
    (2, 'Middlemarch', 880),
    (3, 'A Field Guide to Getting Lost', 209);
