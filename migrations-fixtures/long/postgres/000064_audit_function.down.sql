DROP FUNCTION audit.record() CASCADE;
