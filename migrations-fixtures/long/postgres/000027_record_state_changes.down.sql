DROP FUNCTION record_state_change() CASCADE;
