DROP RULE no_update ON audit.log;
DROP RULE no_delete ON audit.log;
