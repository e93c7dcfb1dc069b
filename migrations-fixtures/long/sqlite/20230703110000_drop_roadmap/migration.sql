DROP TABLE IF EXISTS roadmap_items;
