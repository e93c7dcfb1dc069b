# The packing table asks for open and paid orders all day long.
CREATE INDEX orders_to_pack ON orders (status, placed_at);
