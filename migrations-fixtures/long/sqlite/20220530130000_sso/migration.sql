CREATE TABLE identity_providers (
    id       INTEGER PRIMARY KEY,
    team_id  INTEGER NOT NULL UNIQUE REFERENCES teams (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL CHECK (kind IN ('oidc', 'saml')),
    issuer   TEXT NOT NULL,
    config   TEXT NOT NULL CHECK (json_valid(config))
);
CREATE TABLE identities (
    provider_id INTEGER NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
    subject     TEXT NOT NULL,
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (provider_id, subject)
) WITHOUT ROWID;
