-- The trigger keeps totals and stock true from now on. The packing table asks for
-- open and paid orders all day long, so those get an index, built without
-- stopping the shop: CONCURRENTLY cannot be in a transaction, the rest can.
CREATE FUNCTION order_line_changed() RETURNS trigger
LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE orders SET total_cents = total_cents - OLD.quantity * OLD.unit_cents WHERE id = OLD.order_id;
        UPDATE products SET stock = stock + OLD.quantity WHERE id = OLD.product_id;
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
        UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.unit_cents WHERE id = NEW.order_id;
        UPDATE products SET stock = stock - NEW.quantity WHERE id = NEW.product_id;
    END IF;
    RETURN NULL;
END;
$body$;

CREATE TRIGGER order_line_changed AFTER INSERT OR UPDATE OR DELETE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION order_line_changed();

CREATE INDEX CONCURRENTLY orders_to_pack ON orders (placed_at) WHERE status IN ('open', 'paid');

COMMENT ON INDEX orders_to_pack IS 'what the packing table asks for';
