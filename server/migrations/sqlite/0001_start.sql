-- Accounts, sessions, profiles, tests. Instants are milliseconds since the epoch (UTC).

CREATE TABLE account (
    portal       TEXT NOT NULL,
    account      TEXT NOT NULL,
    sending_mode TEXT NOT NULL,
    PRIMARY KEY (portal, account)
) STRICT, WITHOUT ROWID;

-- A session is stored under the SHA-256 of its cookie's value.
CREATE TABLE session (
    key           BLOB    NOT NULL PRIMARY KEY,
    content       TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    refused_draft TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_expiry ON session (expires_at);

-- Tokens work once; they are remembered until they expire by themselves.
CREATE TABLE used_token (
    portal     TEXT    NOT NULL,
    jti        BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (portal, jti)
) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
    id                 TEXT    NOT NULL PRIMARY KEY,
    portal             TEXT    NOT NULL,
    account            TEXT    NOT NULL,
    user               TEXT, -- NULL is the shop
    preset             TEXT,
    host               TEXT    NOT NULL,
    port               INTEGER NOT NULL,
    security           TEXT    NOT NULL,
    login              TEXT    NOT NULL,
    sender_name        TEXT    NOT NULL,
    sender_address     TEXT    NOT NULL,
    reply_to           TEXT,
    encoding           TEXT    NOT NULL,
    in_use             INTEGER NOT NULL,
    secret             BLOB,
    secret_changed_at  INTEGER,
    secret_refusals    INTEGER NOT NULL DEFAULT 0,
    tested_fingerprint BLOB,
    tested_at          INTEGER,
    tested_verdict     TEXT,
    tested_cause       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX profile_by_account ON profile (portal, account, id);
-- Whoever sends does so through one profile only.
CREATE UNIQUE INDEX profile_in_use ON profile (portal, account, ifnull(user, '')) WHERE in_use = 1;

CREATE TABLE test_run (
    profile TEXT    NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    content TEXT    NOT NULL,
    PRIMARY KEY (profile, at)
) STRICT, WITHOUT ROWID;

-- A known text sealed with the vault's keys: a wrong key is noticed at start, not at the first secret.
CREATE TABLE canary (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BLOB    NOT NULL
) STRICT;
