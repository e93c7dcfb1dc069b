-- The packing table asks for open and paid orders all day long; sent ones are history.
CREATE INDEX orders_to_pack ON orders (placed_at) WHERE status IN ('open', 'paid');
