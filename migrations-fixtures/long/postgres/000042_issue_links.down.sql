DROP TABLE issue_links;
DROP TYPE link_kind;
