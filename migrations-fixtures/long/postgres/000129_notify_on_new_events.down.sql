DROP FUNCTION announce_event() CASCADE;
