ALTER TABLE projects ADD COLUMN description TEXT NOT NULL DEFAULT '';
UPDATE projects SET description = 'The part people see.' WHERE "key" = 'APP';
