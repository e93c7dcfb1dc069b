ALTER TABLE memberships MODIFY role ENUM('owner','admin','member','guest') NOT NULL DEFAULT 'member';
