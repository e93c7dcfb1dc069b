DELIMITER //

CREATE TRIGGER order_line_added AFTER INSERT ON order_lines
FOR EACH ROW
BEGIN
    UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.unit_cents WHERE id = NEW.order_id;
    UPDATE products SET stock = stock - NEW.quantity WHERE id = NEW.product_id;
END //

CREATE TRIGGER order_line_removed AFTER DELETE ON order_lines
FOR EACH ROW
BEGIN
    UPDATE orders SET total_cents = total_cents - OLD.quantity * OLD.unit_cents WHERE id = OLD.order_id;
    UPDATE products SET stock = stock + OLD.quantity WHERE id = OLD.product_id;
END //

DELIMITER ;
