-- The schema in PostgreSQL (14 and later). It is what SQLite's migrations make, table by table and column by column: the same
-- names, the same codes, instants as milliseconds since the epoch (UTC). What differs, and why:
--
-- * Text is compared byte by byte (COLLATE "C"): ids, keys and cursors rely on it, and it does not change with the
--   operating system's collations.
-- * Triggers run once a statement, and lock rows in the order of their keys: two transactions never wait for each other.
-- * `tally` gathers differences. A row for each kind would be the one row that every transaction waits for.
--
-- Transactions take locks in this order: messages, lanes, destinations, profiles, logins.

CREATE TABLE account (
    portal       TEXT COLLATE "C" NOT NULL,
    account      TEXT COLLATE "C" NOT NULL,
    sending_mode TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (portal, account)
);

-- A session is stored under the SHA-256 of its cookie's value.
CREATE TABLE session (
    key        BYTEA            NOT NULL PRIMARY KEY,
    content    TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT           NOT NULL,
    ends_at    BIGINT           NOT NULL
);
CREATE INDEX session_by_expiry ON session (expires_at);
-- A portal ends the sessions of an account when its user signs out.
CREATE INDEX session_by_account ON session
    ((content::json -> 'account' ->> 'portal'), (content::json -> 'account' ->> 'account'));

-- Tokens work once; they are remembered until they expire by themselves.
CREATE TABLE used_token (
    portal     TEXT COLLATE "C" NOT NULL,
    jti        BYTEA            NOT NULL,
    expires_at BIGINT           NOT NULL,
    PRIMARY KEY (portal, jti)
);
CREATE INDEX used_token_by_expiry ON used_token (expires_at);

CREATE TABLE profile (
    id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    portal             TEXT COLLATE "C" NOT NULL,
    account            TEXT COLLATE "C" NOT NULL,
    "user"             TEXT COLLATE "C", -- NULL is the shop
    preset             TEXT COLLATE "C",
    host               TEXT COLLATE "C" NOT NULL,
    port               BIGINT           NOT NULL,
    security           TEXT COLLATE "C" NOT NULL,
    login              TEXT COLLATE "C" NOT NULL,
    mechanism          TEXT COLLATE "C", -- NULL is the best one that the server offers
    sender_name        TEXT COLLATE "C" NOT NULL,
    sender_address     TEXT COLLATE "C" NOT NULL,
    reply_to           TEXT COLLATE "C",
    encoding           TEXT COLLATE "C" NOT NULL,
    in_use             BOOLEAN          NOT NULL,
    secret             BYTEA,
    secret_changed_at  BIGINT,
    login_key          BYTEA,            -- what a provider counts by: host, login and password, as a keyed hash
    tested_fingerprint BYTEA,
    tested_at          BIGINT,
    tested_verdict     TEXT COLLATE "C",
    tested_cause       TEXT COLLATE "C",
    received_at        BIGINT,           -- when the code of the last test's mail was typed in
    max_connections    BIGINT,           -- NULL limits are the provider's
    per_minute         BIGINT,
    per_day            BIGINT,
    check_hourly       BOOLEAN          NOT NULL DEFAULT FALSE,
    fallback           BOOLEAN          NOT NULL DEFAULT FALSE,
    failures           BIGINT           NOT NULL DEFAULT 0,
    failing_cause      TEXT COLLATE "C",
    broken_at          BIGINT,
    sent_at            BIGINT,
    failed_at          BIGINT,
    failed_cause       TEXT COLLATE "C",
    checked_at         BIGINT,
    signed_fingerprint BYTEA,            -- the settings that the last sign was about
    revision           BIGINT           NOT NULL DEFAULT 1,
    creation           TEXT COLLATE "C"  -- the form that made it; sent twice, it makes one
);
CREATE INDEX profile_by_account ON profile (portal, account, id);
-- Whoever sends does so through one profile only.
CREATE UNIQUE INDEX profile_in_use ON profile (portal, account, coalesce("user", '')) WHERE in_use;
CREATE UNIQUE INDEX profile_by_creation ON profile (portal, account, creation) WHERE creation IS NOT NULL;
CREATE INDEX profile_by_login ON profile (login_key) WHERE login_key IS NOT NULL;
CREATE INDEX profile_to_check ON profile (coalesce(checked_at, 0)) WHERE check_hourly OR broken_at IS NOT NULL;

CREATE TABLE test_run (
    profile TEXT COLLATE "C" NOT NULL REFERENCES profile (id) ON DELETE CASCADE,
    at      BIGINT           NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (profile, at)
);

-- The code in the confirmation mail, as SHA-256 of its digits with a salt of its own.
CREATE TABLE receipt (
    profile    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES profile (id) ON DELETE CASCADE,
    salt       BYTEA            NOT NULL,
    code       BYTEA            NOT NULL,
    expires_at BIGINT           NOT NULL,
    tries_left BIGINT           NOT NULL
);

-- The report of the last message that failed for a reason of the profile's.
CREATE TABLE last_failure (
    profile TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES profile (id) ON DELETE CASCADE,
    content TEXT COLLATE "C" NOT NULL
);

-- A known text sealed with the vault's keys: a wrong key is noticed at start, not at the first secret.
CREATE TABLE canary (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BYTEA  NOT NULL
);

-- Who changed what. Never a secret, nor anything that was typed into a secret's field.
CREATE TABLE journal (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- UUID version 7: sorts by age
    portal  TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    at      BIGINT           NOT NULL,
    person  TEXT COLLATE "C" NOT NULL, -- the portal's id of the person
    content TEXT COLLATE "C" NOT NULL
);
CREATE INDEX journal_by_account ON journal (portal, account, id);
CREATE INDEX journal_by_age ON journal (at);

-- What was typed and is not saved yet: it belongs to the person, since sessions end. Never a secret.
CREATE TABLE draft (
    portal  TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    person  TEXT COLLATE "C" NOT NULL,
    form    TEXT COLLATE "C" NOT NULL, -- the profile's id, or the one of the form that makes a new profile
    content TEXT COLLATE "C" NOT NULL,
    kept_at BIGINT           NOT NULL,
    PRIMARY KEY (portal, account, person, form)
);
CREATE INDEX draft_by_age ON draft (kept_at);

-- Logins that were refused, and those that are under way: three refused passwords, and no more.
CREATE TABLE login (
    id    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    key   BYTEA            NOT NULL,
    at    BIGINT           NOT NULL, -- when it began, or was refused
    until BIGINT                     -- a place that is taken until then; NULL: it was refused
);
CREATE INDEX login_by_key ON login (key);
CREATE INDEX login_by_age ON login (at);

-- The last instant that was seen, to tell a clock that was set from time that passed.
CREATE TABLE clock (
    id      BIGINT           NOT NULL PRIMARY KEY CHECK (id = 1),
    seen_at BIGINT           NOT NULL, -- by the clock on the wall
    boot    TEXT COLLATE "C" NOT NULL, -- which start of the machine
    up_ms   BIGINT           NOT NULL  -- milliseconds since then
);

-- What the readiness check writes, to know that the database can be written.
CREATE TABLE heartbeat (
    id      BIGINT PRIMARY KEY CHECK (id = 1),
    at      BIGINT NOT NULL,
    -- As large as a message: a disk that is nearly full may have room for a byte.
    ballast BYTEA  NOT NULL
);
ALTER TABLE heartbeat ALTER COLUMN ballast SET STORAGE EXTERNAL;

-- Rows that cannot be decoded. They are left alone until an operator has repaired them and deleted their line here.
CREATE TABLE quarantine (
    kind    TEXT COLLATE "C" NOT NULL, -- the table
    "row"   TEXT COLLATE "C" NOT NULL, -- its key there
    field   TEXT COLLATE "C" NOT NULL, -- the column
    portal  TEXT COLLATE "C",
    account TEXT COLLATE "C",
    told    BOOLEAN          NOT NULL DEFAULT FALSE, -- logged, and the portal has an event
    PRIMARY KEY (kind, "row")
);
CREATE INDEX quarantine_untold ON quarantine (told) WHERE NOT told;

-- The outbox: messages, what was tried, what is told.
CREATE TABLE message (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- UUID version 7: sorts by age
    portal          TEXT COLLATE "C" NOT NULL,
    account         TEXT COLLATE "C" NOT NULL,
    "user"          TEXT COLLATE "C",                      -- NULL is the shop
    lane            TEXT COLLATE "C" NOT NULL,             -- portal, account and user in one: whose queue it stands in
    idempotency_key TEXT COLLATE "C",
    request_hash    BYTEA            NOT NULL,
    message_id      TEXT COLLATE "C" NOT NULL,
    reference       TEXT COLLATE "C",
    subject         TEXT COLLATE "C" NOT NULL,
    size            BIGINT           NOT NULL,
    recipients      TEXT COLLATE "C" NOT NULL,             -- JSON, with what became of each
    state           TEXT COLLATE "C" NOT NULL,
    stage           TEXT COLLATE "C",
    cause           TEXT COLLATE "C",
    reply           TEXT COLLATE "C",
    profile         TEXT COLLATE "C",                      -- through which one it went, or was tried last
    fallback        BOOLEAN          NOT NULL DEFAULT FALSE, -- through the portal's relay from now on
    tries           BIGINT           NOT NULL DEFAULT 0,
    created_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL,
    expires_at      BIGINT           NOT NULL,
    next_at         BIGINT,
    lease_owner     TEXT COLLATE "C",
    lease_until     BIGINT,
    ending_at       BIGINT,                                -- from then on the server may have it
    ending_to       TEXT COLLATE "C",                      -- to whom, as JSON; NULL: to all who wait
    finished_at     BIGINT,
    has_content     BOOLEAN          NOT NULL DEFAULT TRUE, -- whether its texts and files are still kept
    wakings         BIGINT           NOT NULL DEFAULT 0    -- how often its lane had been woken when it began to wait
);
CREATE INDEX message_by_account ON message (portal, account, id);
CREATE UNIQUE INDEX message_by_key ON message (portal, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX message_waiting ON message (lane, fallback, wakings, next_at, id) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_oldest ON message (created_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_expiry ON message (expires_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_leased ON message (lease_until) WHERE state = 'sending';
CREATE INDEX message_finished ON message (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX message_unsent ON message (finished_at) WHERE finished_at IS NOT NULL AND has_content;
CREATE INDEX message_through ON message (profile, finished_at) WHERE state = 'accepted';

-- Texts and files, sealed; gone when they are not needed any more.
CREATE TABLE content (
    message TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    sealed  BYTEA            NOT NULL
);
-- What is sealed does not get smaller.
ALTER TABLE content ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE attempt (
    message TEXT COLLATE "C" NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    number  BIGINT           NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (message, number)
);

-- What portals are told.
CREATE TABLE event (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- UUID version 7
    portal     TEXT COLLATE "C" NOT NULL,
    content    TEXT COLLATE "C" NOT NULL,             -- the body, as it is sent
    created_at BIGINT           NOT NULL,
    next_at    BIGINT           NOT NULL,
    tries      BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX event_waiting ON event (portal, next_at);
CREATE INDEX event_by_age ON event (created_at);

-- What waits costs nothing: lanes and destinations have rows of their own.
--
-- `next_at` of a lane and of a destination is a lower bound: nothing of it is due before. The triggers below only ever lower
-- it, in the transaction that makes something wait, and lock the row even where it is low enough. Whoever raises it locks the
-- row first, with a statement of its own, and counts afterwards: what is not visible then lowers it again. NULL: nothing waits.
-- No message has more wakings than its lane, also when the lane was cleaned up and comes back.

-- A queue: the messages of an account and user that go the usual way, or those that fell back to the relay.
CREATE TABLE lane (
    lane        TEXT COLLATE "C" NOT NULL,             -- as in message
    fallback    BOOLEAN          NOT NULL,             -- as in message
    portal      TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL,
    destination TEXT COLLATE "C" NOT NULL DEFAULT '',  -- the server it resolved to last; '' is not known
    next_at     BIGINT,
    rests_until BIGINT           NOT NULL DEFAULT 0,   -- for a reason of its own
    cause       TEXT COLLATE "C",                      -- the reason
    wakings     BIGINT           NOT NULL DEFAULT 0,   -- how often it was woken…
    woken_at    BIGINT           NOT NULL DEFAULT 0,   -- …and when last: what began to wait before has been due since then
    due_at      BIGINT GENERATED ALWAYS AS (CASE WHEN next_at IS NULL THEN NULL ELSE greatest(next_at, rests_until) END) STORED,
    PRIMARY KEY (lane, fallback)
);
CREATE INDEX lane_due ON lane (destination, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lane_by_account ON lane (portal, account);
CREATE INDEX lane_empty ON lane (rests_until) WHERE next_at IS NULL;

-- A server that lanes wait for. While it rests none of them is looked at.
CREATE TABLE destination (
    destination TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    next_at     BIGINT,
    rests_until BIGINT           NOT NULL DEFAULT 0,
    troubles    BIGINT           NOT NULL DEFAULT 0,   -- in a row; while there are any, one message at a time tries
    cause       TEXT COLLATE "C",
    probe       TEXT COLLATE "C",                      -- the lease of the message that tries: the rest ends with it
    due_at      BIGINT GENERATED ALWAYS AS (CASE WHEN next_at IS NULL THEN NULL ELSE greatest(next_at, rests_until) END) STORED
);
CREATE INDEX destination_due ON destination (due_at, destination) WHERE due_at IS NOT NULL;
CREATE INDEX destination_resting ON destination (rests_until) WHERE rests_until > 0;
CREATE INDEX destination_idle ON destination (rests_until) WHERE next_at IS NULL;
CREATE INDEX destination_probed ON destination (probe) WHERE probe IS NOT NULL;

-- Rows by kind: messages by state, and events. Read by GET /metrics, as sums; cleaning up adds the lines of a kind together.
CREATE TABLE tally (
    kind   TEXT COLLATE "C" NOT NULL,
    amount BIGINT           NOT NULL
);

CREATE FUNCTION lane_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO destination (destination, next_at)
        SELECT new_rows.destination, min(new_rows.due_at) FROM new_rows WHERE new_rows.due_at IS NOT NULL
        GROUP BY new_rows.destination ORDER BY new_rows.destination
    ON CONFLICT (destination) DO UPDATE SET next_at = excluded.next_at
        WHERE destination.next_at IS NULL OR destination.next_at > excluded.next_at;
    RETURN NULL;
END $$;
CREATE FUNCTION lane_has_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO destination (destination, next_at)
        SELECT new_rows.destination, min(new_rows.due_at)
        FROM new_rows JOIN old_rows USING (lane, fallback)
        WHERE new_rows.due_at IS NOT NULL
          AND (new_rows.destination <> old_rows.destination OR old_rows.due_at IS NULL OR new_rows.due_at < old_rows.due_at)
        GROUP BY new_rows.destination ORDER BY new_rows.destination
    ON CONFLICT (destination) DO UPDATE SET next_at = excluded.next_at
        WHERE destination.next_at IS NULL OR destination.next_at > excluded.next_at;
    RETURN NULL;
END $$;
CREATE TRIGGER lane_new AFTER INSERT ON lane
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lane_is_new();
CREATE TRIGGER lane_moved AFTER UPDATE ON lane
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lane_has_moved();

CREATE FUNCTION message_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (kind, amount) SELECT new_rows.state, count(*) FROM new_rows GROUP BY new_rows.state;
    INSERT INTO lane (lane, fallback, portal, account, next_at, wakings)
        SELECT new_rows.lane, new_rows.fallback, min(new_rows.portal), min(new_rows.account), min(new_rows.next_at),
            max(new_rows.wakings)
        FROM new_rows WHERE new_rows.state IN ('queued', 'deferred')
        GROUP BY new_rows.lane, new_rows.fallback ORDER BY new_rows.lane, new_rows.fallback
    ON CONFLICT (lane, fallback) DO UPDATE
        SET next_at = least(lane.next_at, excluded.next_at), wakings = greatest(lane.wakings, excluded.wakings)
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at OR lane.wakings < excluded.wakings;
    RETURN NULL;
END $$;
CREATE FUNCTION message_has_turned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM new_rows JOIN old_rows USING (id)
                   WHERE (new_rows.state, new_rows.next_at, new_rows.fallback)
                       IS DISTINCT FROM (old_rows.state, old_rows.next_at, old_rows.fallback)) THEN
        RETURN NULL;
    END IF;
    INSERT INTO tally (kind, amount)
        SELECT changed.kind, sum(changed.amount)
        FROM (SELECT new_rows.state AS kind, 1 AS amount FROM new_rows UNION ALL SELECT old_rows.state, -1 FROM old_rows)
            AS changed
        GROUP BY changed.kind HAVING sum(changed.amount) <> 0;
    INSERT INTO lane (lane, fallback, portal, account, next_at, wakings)
        SELECT new_rows.lane, new_rows.fallback, min(new_rows.portal), min(new_rows.account), min(new_rows.next_at),
            max(new_rows.wakings)
        FROM new_rows JOIN old_rows USING (id)
        WHERE new_rows.state IN ('queued', 'deferred')
          AND (new_rows.state, new_rows.next_at, new_rows.fallback)
              IS DISTINCT FROM (old_rows.state, old_rows.next_at, old_rows.fallback)
        GROUP BY new_rows.lane, new_rows.fallback ORDER BY new_rows.lane, new_rows.fallback
    ON CONFLICT (lane, fallback) DO UPDATE
        SET next_at = least(lane.next_at, excluded.next_at), wakings = greatest(lane.wakings, excluded.wakings)
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at OR lane.wakings < excluded.wakings;
    -- A message that was repaired is back in its lane, and out of the quarantine.
    DELETE FROM quarantine WHERE kind = 'message' AND "row" IN (
        SELECT new_rows.id FROM new_rows JOIN old_rows USING (id)
        WHERE old_rows.state = 'quarantined' AND new_rows.state <> 'quarantined');
    RETURN NULL;
END $$;
CREATE FUNCTION message_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (kind, amount) SELECT old_rows.state, -count(*) FROM old_rows GROUP BY old_rows.state;
    DELETE FROM quarantine WHERE kind = 'message' AND "row" IN (
        SELECT old_rows.id FROM old_rows WHERE old_rows.state = 'quarantined');
    RETURN NULL;
END $$;
CREATE TRIGGER message_new AFTER INSERT ON message
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION message_is_new();
CREATE TRIGGER message_turned AFTER UPDATE ON message
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION message_has_turned();
CREATE TRIGGER message_gone AFTER DELETE ON message
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION message_is_gone();

CREATE FUNCTION content_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE message SET has_content = FALSE WHERE id IN (SELECT old_rows.message FROM old_rows);
    RETURN NULL;
END $$;
CREATE TRIGGER content_gone AFTER DELETE ON content
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION content_is_gone();

CREATE FUNCTION event_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (kind, amount) SELECT 'event', count(*) FROM new_rows HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE FUNCTION event_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (kind, amount) SELECT 'event', -count(*) FROM old_rows HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER event_new AFTER INSERT ON event
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION event_is_new();
CREATE TRIGGER event_gone AFTER DELETE ON event
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION event_is_gone();
