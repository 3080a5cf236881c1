-- Waking a lane is one write; a probe ends with its lease; rows that cannot be decoded are set aside. Instants are milliseconds
-- since the epoch (UTC).

-- How often a lane was woken, and when it was last. A message that began to wait before that (its own count is lower) has
-- been due since then, whatever its `next_at` says.
ALTER TABLE lane ADD COLUMN wakings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN woken_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN wakings INTEGER NOT NULL DEFAULT 0;
DROP INDEX message_waiting;
CREATE INDEX message_waiting ON message (lane, fallback, wakings, next_at, id) WHERE state IN ('queued', 'deferred');

-- The lease of the message that probes a destination. The rest ends with it, and is prolonged with it.
ALTER TABLE destination ADD COLUMN probe TEXT;
CREATE INDEX destination_probed ON destination (probe) WHERE probe IS NOT NULL;

-- Rows that cannot be decoded. They are left alone until an operator has repaired them and deleted their line here.
CREATE TABLE quarantine (
    kind    TEXT    NOT NULL, -- the table
    row     TEXT    NOT NULL, -- its key there
    field   TEXT    NOT NULL, -- the column
    portal  TEXT,
    account TEXT,
    told    INTEGER NOT NULL DEFAULT 0, -- logged, and the portal has an event
    PRIMARY KEY (kind, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX quarantine_untold ON quarantine (told) WHERE told = 0;
INSERT INTO tally (kind, amount) VALUES ('quarantined', 0);
-- A message that was repaired is back in its lane, and out of the quarantine.
CREATE TRIGGER message_repaired AFTER UPDATE OF state ON message
WHEN OLD.state = 'quarantined' AND NEW.state <> 'quarantined' BEGIN
    DELETE FROM quarantine WHERE kind = 'message' AND row = NEW.id;
END;
CREATE TRIGGER message_forgotten AFTER DELETE ON message WHEN OLD.state = 'quarantined' BEGIN
    DELETE FROM quarantine WHERE kind = 'message' AND row = OLD.id;
END;
