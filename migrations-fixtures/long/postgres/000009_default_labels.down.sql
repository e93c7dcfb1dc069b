DELETE FROM labels WHERE name IN ('bug', 'idea', 'question');
