-- The outbox: messages, what was tried, what is told. Instants are milliseconds since the epoch (UTC).

-- What an owner sets for the sending, and what is known of it. NULL limits are the provider's.
ALTER TABLE profile ADD COLUMN max_connections INTEGER;
ALTER TABLE profile ADD COLUMN per_minute INTEGER;
ALTER TABLE profile ADD COLUMN per_day INTEGER;
ALTER TABLE profile ADD COLUMN check_hourly INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profile ADD COLUMN fallback INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profile ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profile ADD COLUMN failing_cause TEXT;
ALTER TABLE profile ADD COLUMN broken_at INTEGER;
ALTER TABLE profile ADD COLUMN sent_at INTEGER;
ALTER TABLE profile ADD COLUMN failed_at INTEGER;
ALTER TABLE profile ADD COLUMN failed_cause TEXT;
ALTER TABLE profile ADD COLUMN checked_at INTEGER;
-- The settings that the last sign was about.
ALTER TABLE profile ADD COLUMN signed_fingerprint BLOB;
CREATE INDEX profile_to_check ON profile (ifnull(checked_at, 0)) WHERE check_hourly = 1 OR broken_at IS NOT NULL;

-- The report of the last message that failed for a reason of the profile's.
CREATE TABLE last_failure (
    profile TEXT    NOT NULL PRIMARY KEY REFERENCES profile (id) ON DELETE CASCADE,
    content TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    id              TEXT    NOT NULL PRIMARY KEY, -- UUID version 7: sorts by age
    portal          TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    user            TEXT,                         -- NULL is the shop
    lane            TEXT    NOT NULL,             -- portal, account and user in one: whose queue it stands in
    idempotency_key TEXT,
    request_hash    BLOB    NOT NULL,
    message_id      TEXT    NOT NULL,
    reference       TEXT,
    subject         TEXT    NOT NULL,
    size            INTEGER NOT NULL,
    recipients      TEXT    NOT NULL,             -- JSON, with what became of each
    state           TEXT    NOT NULL,
    stage           TEXT,
    cause           TEXT,
    reply           TEXT,
    profile         TEXT,                         -- through which one it went, or was tried last
    fallback        INTEGER NOT NULL DEFAULT 0,   -- through the portal's relay from now on
    tries           INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    next_at         INTEGER,
    lease_owner     TEXT,
    lease_until     INTEGER,
    ending_at       INTEGER,                      -- from then on the server may have it
    finished_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX message_by_account ON message (portal, account, id);
CREATE UNIQUE INDEX message_by_key ON message (portal, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX message_waiting ON message (lane, next_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_fallen ON message (lane) WHERE state IN ('queued', 'deferred') AND fallback = 1;
CREATE INDEX message_expiry ON message (expires_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_leased ON message (lease_until) WHERE state = 'sending';
CREATE INDEX message_finished ON message (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX message_through ON message (profile, finished_at) WHERE state = 'accepted';

-- Texts and files, sealed; gone when they are not needed any more.
CREATE TABLE content (
    message TEXT NOT NULL PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    sealed  BLOB NOT NULL
) STRICT;

CREATE TABLE attempt (
    message TEXT    NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    content TEXT    NOT NULL,
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

-- What portals are told.
CREATE TABLE event (
    id         TEXT    NOT NULL PRIMARY KEY, -- UUID version 7
    portal     TEXT    NOT NULL,
    content    TEXT    NOT NULL,             -- the body, as it is sent
    created_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX event_waiting ON event (portal, next_at);
CREATE INDEX event_by_age ON event (created_at);
