-- Users, and the sessions they log in with.
CREATE TABLE app_user (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,
    -- The address as it is compared: NFC, lower case.
    email_key     text        NOT NULL CONSTRAINT app_user_email_key UNIQUE,
    display_name  text        NOT NULL,
    -- PHC string of Argon2id.
    password_hash text        NOT NULL,
    roles         text[]      NOT NULL
        CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['CUSTOMER', 'SUPPORT', 'ADMIN']),
    created_at    timestamptz NOT NULL
);

-- The family of one refresh token: from a login to its end.
CREATE TABLE session (
    id            uuid        PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    -- Keys the derivation of each token from the one before it.
    rotation_key  bytea       NOT NULL CHECK (length(rotation_key) = 32),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    revoke_reason text CHECK (revoke_reason IN ('LOGOUT', 'EVERYWHERE', 'PASSWORD', 'REUSE')),
    CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);
CREATE INDEX session_user_id ON session (user_id);
CREATE INDEX session_expires_at ON session (expires_at);

-- Only hashes: a copy of the database opens no session.
CREATE TABLE refresh_token (
    hash       bytea       PRIMARY KEY CHECK (length(hash) = 32),
    session_id uuid        NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_token_session_id ON refresh_token (session_id);
