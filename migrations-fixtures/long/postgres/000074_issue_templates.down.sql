DROP TABLE issue_templates;
