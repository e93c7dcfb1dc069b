CREATE TABLE identity_providers (
    id      bigserial PRIMARY KEY,
    team_id bigint NOT NULL UNIQUE REFERENCES teams (id) ON DELETE CASCADE,
    kind    text NOT NULL CHECK (kind IN ('oidc', 'saml')),
    issuer  text NOT NULL,
    config  jsonb NOT NULL
);
CREATE TABLE identities (
    provider_id bigint NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
    subject     text NOT NULL,
    user_id     bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (provider_id, subject)
);
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
