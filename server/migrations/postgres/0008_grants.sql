-- The owner signed in at a provider instead of entering a password (OAuth 2.0). What a profile shows of it; its tokens are below.
ALTER TABLE profile ADD COLUMN grant_id TEXT COLLATE "C"; -- NULL: it has a password, or nothing
ALTER TABLE profile ADD COLUMN grant_client TEXT COLLATE "C";
ALTER TABLE profile ADD COLUMN grant_identity TEXT COLLATE "C";
ALTER TABLE profile ADD COLUMN granted_at BIGINT;
ALTER TABLE profile ADD COLUMN grant_access_ends_at BIGINT; -- when the access token in `secret` ends
ALTER TABLE profile ADD COLUMN grant_cause TEXT COLLATE "C"; -- why it no longer works; NULL while it does
ALTER TABLE profile ADD COLUMN grant_code TEXT COLLATE "C";

-- A grant outlives its profile until it is revoked at the provider.
CREATE TABLE oauth_grant (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    profile         TEXT COLLATE "C" NOT NULL, -- what its tokens are sealed for
    attached_to     TEXT COLLATE "C" REFERENCES profile (id) ON DELETE SET NULL, -- the profile that uses it
    portal          TEXT COLLATE "C" NOT NULL,
    account         TEXT COLLATE "C" NOT NULL,
    client          TEXT COLLATE "C" NOT NULL,
    issuer          TEXT COLLATE "C" NOT NULL,
    subject         TEXT COLLATE "C" NOT NULL,
    scopes          TEXT COLLATE "C" NOT NULL,
    refresh         BYTEA            NOT NULL,
    version         BIGINT           NOT NULL DEFAULT 1, -- counts the refreshes
    lease_token     TEXT COLLATE "C", -- who refreshes it
    leased_until    BIGINT,
    next_refresh_at BIGINT           NOT NULL,
    cause           TEXT COLLATE "C" -- as in the profile's `grant_cause`
);
CREATE UNIQUE INDEX oauth_grant_attached ON oauth_grant (attached_to) WHERE attached_to IS NOT NULL;
CREATE INDEX oauth_grant_detached ON oauth_grant (id) WHERE attached_to IS NULL;
CREATE INDEX oauth_grant_due ON oauth_grant (next_refresh_at) WHERE attached_to IS NOT NULL AND cause IS NULL;
CREATE INDEX oauth_grant_counted ON oauth_grant (client, cause, attached_to) WHERE attached_to IS NOT NULL;
-- The grants of one person to one client.
CREATE INDEX oauth_grant_twins ON oauth_grant (client, subject);

-- Sign-ins under way. Of what a browser or the provider brings back there is only the SHA-256.
CREATE TABLE sign_in (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    portal      TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL,
    session     BYTEA            NOT NULL,
    client      TEXT COLLATE "C" NOT NULL,
    ticket      BYTEA            NOT NULL,
    state       BYTEA            NOT NULL,
    browser     BYTEA, -- NULL until the ticket is used
    sealed      BYTEA            NOT NULL,
    content     TEXT COLLATE "C" NOT NULL,
    expires_at  BIGINT           NOT NULL,
    ticket_used BOOLEAN          NOT NULL DEFAULT FALSE,
    state_used  BOOLEAN          NOT NULL DEFAULT FALSE,
    outcome     TEXT COLLATE "C" -- NULL until it has ended
);
CREATE UNIQUE INDEX sign_in_by_ticket ON sign_in (ticket);
CREATE UNIQUE INDEX sign_in_by_state ON sign_in (state);
CREATE INDEX sign_in_by_session ON sign_in (session, expires_at);
CREATE INDEX sign_in_by_expiry ON sign_in (expires_at);
