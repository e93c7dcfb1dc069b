DROP TABLE issue_labels, labels;
