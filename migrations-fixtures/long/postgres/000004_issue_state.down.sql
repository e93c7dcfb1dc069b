DROP TYPE issue_state;
