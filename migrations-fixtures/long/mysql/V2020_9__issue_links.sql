CREATE TABLE issue_links (
    from_id BIGINT UNSIGNED NOT NULL,
    to_id   BIGINT UNSIGNED NOT NULL,
    kind    ENUM('blocks', 'duplicates', 'relates') NOT NULL,
    PRIMARY KEY (from_id, to_id, kind),
    CONSTRAINT issue_links_from FOREIGN KEY (from_id) REFERENCES issues (id),
    CONSTRAINT issue_links_to FOREIGN KEY (to_id) REFERENCES issues (id)
) ENGINE=InnoDB;
INSERT INTO issue_links (from_id, to_id, kind) VALUES (2, 1, 'duplicates');
