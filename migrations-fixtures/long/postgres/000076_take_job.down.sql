DROP FUNCTION take_job(text, text);
