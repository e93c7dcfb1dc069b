CREATE TYPE mood AS ENUM ('sad');
ALTER TYPE mood ADD VALUE 'happy';
CREATE TABLE moods (mood mood NOT NULL);
INSERT INTO moods VALUES ('happy');
