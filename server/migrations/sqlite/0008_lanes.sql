-- What waits costs nothing: lanes and destinations have rows of their own. Instants are milliseconds since the epoch (UTC).
--
-- `next_at` of a lane and of a destination is a lower bound: nothing of it is due before. The triggers below only ever
-- lower it, in the transaction that makes something wait; whoever claims messages raises it again. NULL: nothing waits.

-- A queue: the messages of an account and user that go the usual way, or those that fell back to the relay.
CREATE TABLE lane (
    lane        TEXT    NOT NULL,             -- as in message
    fallback    INTEGER NOT NULL,             -- as in message
    portal      TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    destination TEXT    NOT NULL DEFAULT '',  -- the server it resolved to last; '' is not known
    next_at     INTEGER,
    rests_until INTEGER NOT NULL DEFAULT 0,   -- for a reason of its own
    cause       TEXT,                         -- the reason
    due_at      INTEGER GENERATED ALWAYS AS (CASE WHEN next_at IS NULL THEN NULL ELSE max(next_at, rests_until) END) VIRTUAL,
    PRIMARY KEY (lane, fallback)
) STRICT, WITHOUT ROWID;
CREATE INDEX lane_due ON lane (destination, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lane_by_account ON lane (portal, account);
CREATE INDEX lane_empty ON lane (rests_until) WHERE next_at IS NULL;

-- A server that lanes wait for. While it rests none of them is looked at.
CREATE TABLE destination (
    destination TEXT    NOT NULL PRIMARY KEY,
    next_at     INTEGER,
    rests_until INTEGER NOT NULL DEFAULT 0,
    troubles    INTEGER NOT NULL DEFAULT 0,   -- in a row; while there are any, one message at a time tries
    cause       TEXT,
    due_at      INTEGER GENERATED ALWAYS AS (CASE WHEN next_at IS NULL THEN NULL ELSE max(next_at, rests_until) END) VIRTUAL
) STRICT, WITHOUT ROWID;
CREATE INDEX destination_due ON destination (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX destination_resting ON destination (rests_until) WHERE rests_until > 0;
CREATE INDEX destination_idle ON destination (rests_until) WHERE next_at IS NULL;

-- Rows by kind: messages by state, and events. Read by GET /metrics.
CREATE TABLE tally (
    kind   TEXT    NOT NULL PRIMARY KEY,
    amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tally (kind, amount) VALUES
    ('queued', 0), ('sending', 0), ('accepted', 0), ('deferred', 0), ('failed', 0), ('delivery_unknown', 0), ('event', 0);

CREATE TRIGGER lane_new AFTER INSERT ON lane WHEN NEW.due_at IS NOT NULL BEGIN
    INSERT INTO destination (destination, next_at) VALUES (NEW.destination, NEW.due_at)
    ON CONFLICT (destination) DO UPDATE SET next_at = excluded.next_at
        WHERE destination.next_at IS NULL OR destination.next_at > excluded.next_at;
END;
CREATE TRIGGER lane_moved AFTER UPDATE OF destination, next_at, rests_until ON lane WHEN NEW.due_at IS NOT NULL BEGIN
    INSERT INTO destination (destination, next_at) VALUES (NEW.destination, NEW.due_at)
    ON CONFLICT (destination) DO UPDATE SET next_at = excluded.next_at
        WHERE destination.next_at IS NULL OR destination.next_at > excluded.next_at;
END;

-- Filled before the messages' triggers are there.
INSERT INTO lane (lane, fallback, portal, account, next_at)
    SELECT lane, fallback, portal, account, min(next_at) FROM message
    WHERE state IN ('queued', 'deferred') GROUP BY lane, fallback;
UPDATE tally SET amount = (SELECT count(*) FROM message WHERE state = kind) WHERE kind <> 'event';
UPDATE tally SET amount = (SELECT count(*) FROM event) WHERE kind = 'event';

-- Whether its texts and files are still kept. What is finished and has them is found without looking at all the rest.
ALTER TABLE message ADD COLUMN has_content INTEGER NOT NULL DEFAULT 1;
UPDATE message SET has_content = 0 WHERE NOT EXISTS (SELECT 1 FROM content WHERE content.message = message.id);
CREATE INDEX message_unsent ON message (finished_at) WHERE finished_at IS NOT NULL AND has_content = 1;

DROP INDEX message_waiting;
DROP INDEX message_fallen;
CREATE INDEX message_waiting ON message (lane, fallback, next_at, id) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_oldest ON message (created_at) WHERE state IN ('queued', 'deferred');

CREATE TRIGGER message_new AFTER INSERT ON message BEGIN
    UPDATE tally SET amount = amount + 1 WHERE kind = NEW.state;
END;
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    UPDATE tally SET amount = amount - 1 WHERE kind = OLD.state;
END;
CREATE TRIGGER message_turned AFTER UPDATE OF state ON message WHEN OLD.state <> NEW.state BEGIN
    UPDATE tally SET amount = amount + (kind = NEW.state) - (kind = OLD.state) WHERE kind IN (OLD.state, NEW.state);
END;
CREATE TRIGGER event_new AFTER INSERT ON event BEGIN
    UPDATE tally SET amount = amount + 1 WHERE kind = 'event';
END;
CREATE TRIGGER event_gone AFTER DELETE ON event BEGIN
    UPDATE tally SET amount = amount - 1 WHERE kind = 'event';
END;
CREATE TRIGGER content_gone AFTER DELETE ON content BEGIN
    UPDATE message SET has_content = 0 WHERE id = OLD.message;
END;

CREATE TRIGGER message_waits AFTER INSERT ON message WHEN NEW.state IN ('queued', 'deferred') BEGIN
    INSERT INTO lane (lane, fallback, portal, account, next_at)
    VALUES (NEW.lane, NEW.fallback, NEW.portal, NEW.account, NEW.next_at)
    ON CONFLICT (lane, fallback) DO UPDATE SET next_at = excluded.next_at
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at;
END;
CREATE TRIGGER message_waits_again AFTER UPDATE OF state, next_at, fallback ON message
WHEN NEW.state IN ('queued', 'deferred') BEGIN
    INSERT INTO lane (lane, fallback, portal, account, next_at)
    VALUES (NEW.lane, NEW.fallback, NEW.portal, NEW.account, NEW.next_at)
    ON CONFLICT (lane, fallback) DO UPDATE SET next_at = excluded.next_at
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at;
END;
