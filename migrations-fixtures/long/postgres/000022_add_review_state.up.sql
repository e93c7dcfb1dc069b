-- Used from the next file on: a value is not there before its transaction is over.
ALTER TYPE issue_state ADD VALUE 'review' AFTER 'doing';
