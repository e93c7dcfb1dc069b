-- Prices are whole cents: money never goes through a float.
CREATE TABLE products (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sku         VARCHAR(40) NOT NULL,
    title       VARCHAR(200) NOT NULL,
    price_cents INT NOT NULL,
    stock       INT NOT NULL DEFAULT 0,
    UNIQUE KEY products_sku (sku),
    CONSTRAINT products_price CHECK (price_cents >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
