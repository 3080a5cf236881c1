-- The owner signed in at a provider instead of entering a password (OAuth 2.0). What a profile shows of it; its tokens are below.
ALTER TABLE profile ADD COLUMN grant_id TEXT; -- NULL: it has a password, or nothing
ALTER TABLE profile ADD COLUMN grant_client TEXT;
ALTER TABLE profile ADD COLUMN grant_identity TEXT;
ALTER TABLE profile ADD COLUMN granted_at INTEGER;
ALTER TABLE profile ADD COLUMN grant_access_ends_at INTEGER; -- when the access token in `secret` ends
ALTER TABLE profile ADD COLUMN grant_cause TEXT; -- why it no longer works; NULL while it does
ALTER TABLE profile ADD COLUMN grant_code TEXT;

-- A grant outlives its profile until it is revoked at the provider.
CREATE TABLE oauth_grant (
    id              TEXT    NOT NULL PRIMARY KEY,
    profile         TEXT    NOT NULL, -- what its tokens are sealed for
    attached_to     TEXT REFERENCES profile (id) ON DELETE SET NULL, -- the profile that uses it
    portal          TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    client          TEXT    NOT NULL,
    issuer          TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    scopes          TEXT    NOT NULL,
    refresh         BLOB    NOT NULL,
    version         INTEGER NOT NULL DEFAULT 1, -- counts the refreshes
    lease_token     TEXT, -- who refreshes it
    leased_until    INTEGER,
    next_refresh_at INTEGER NOT NULL,
    cause           TEXT -- as in the profile's `grant_cause`
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX oauth_grant_attached ON oauth_grant (attached_to) WHERE attached_to IS NOT NULL;
CREATE INDEX oauth_grant_detached ON oauth_grant (id) WHERE attached_to IS NULL;
CREATE INDEX oauth_grant_due ON oauth_grant (next_refresh_at) WHERE attached_to IS NOT NULL AND cause IS NULL;
CREATE INDEX oauth_grant_counted ON oauth_grant (client, cause, attached_to) WHERE attached_to IS NOT NULL;
-- The grants of one person to one client.
CREATE INDEX oauth_grant_twins ON oauth_grant (client, subject);

-- Sign-ins under way. Of what a browser or the provider brings back there is only the SHA-256.
CREATE TABLE sign_in (
    id          TEXT    NOT NULL PRIMARY KEY,
    portal      TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    session     BLOB    NOT NULL,
    client      TEXT    NOT NULL,
    ticket      BLOB    NOT NULL,
    state       BLOB    NOT NULL,
    browser     BLOB, -- NULL until the ticket is used
    sealed      BLOB    NOT NULL,
    content     TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    ticket_used INTEGER NOT NULL DEFAULT 0,
    state_used  INTEGER NOT NULL DEFAULT 0,
    outcome     TEXT -- NULL until it has ended
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sign_in_by_ticket ON sign_in (ticket);
CREATE UNIQUE INDEX sign_in_by_state ON sign_in (state);
CREATE INDEX sign_in_by_session ON sign_in (session, expires_at);
CREATE INDEX sign_in_by_expiry ON sign_in (expires_at);
