-- The desktop app looks at this before it syncs.
PRAGMA user_version = 51;
