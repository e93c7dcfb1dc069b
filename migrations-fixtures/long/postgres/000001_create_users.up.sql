-- Day one. Just enough to sign in.
CREATE TABLE users (
    id            bigserial PRIMARY KEY,
    email         varchar(255) NOT NULL UNIQUE,
    password_hash text NOT NULL,
    name          text,
    created_at    timestamp NOT NULL DEFAULT now()
);
