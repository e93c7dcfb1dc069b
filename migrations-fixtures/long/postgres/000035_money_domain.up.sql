CREATE DOMAIN cents AS bigint CHECK (VALUE > -1000000000 AND VALUE < 1000000000);
COMMENT ON DOMAIN cents IS $$money in the smallest unit; never a float, never ''$$;
