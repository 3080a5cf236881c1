-- How many messages of a lane were not tried yet: those that wait only for a server's rest are counted without looking at them.

ALTER TABLE lane ADD COLUMN queued INTEGER NOT NULL DEFAULT 0;
UPDATE lane SET queued = (SELECT count(*) FROM message
    WHERE message.lane = lane.lane AND message.fallback = lane.fallback AND message.state IN ('queued', 'deferred')
      AND message.state = 'queued');
CREATE INDEX lane_resting ON lane (rests_until) WHERE rests_until > 0;

-- The lane is there before its messages are counted: one trigger does both.
DROP TRIGGER message_waits;
CREATE TRIGGER message_waits AFTER INSERT ON message WHEN NEW.state IN ('queued', 'deferred') BEGIN
    INSERT INTO lane (lane, fallback, portal, account, next_at)
    VALUES (NEW.lane, NEW.fallback, NEW.portal, NEW.account, NEW.next_at)
    ON CONFLICT (lane, fallback) DO UPDATE SET next_at = excluded.next_at
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at;
    UPDATE lane SET queued = queued + 1
    WHERE lane = NEW.lane AND fallback = NEW.fallback AND NEW.state = 'queued';
END;
DROP TRIGGER message_waits_again;
CREATE TRIGGER message_waits_again AFTER UPDATE OF state, next_at, fallback ON message
WHEN NEW.state IN ('queued', 'deferred') BEGIN
    INSERT INTO lane (lane, fallback, portal, account, next_at)
    VALUES (NEW.lane, NEW.fallback, NEW.portal, NEW.account, NEW.next_at)
    ON CONFLICT (lane, fallback) DO UPDATE SET next_at = excluded.next_at
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at;
    UPDATE lane SET queued = queued + 1
    WHERE lane = NEW.lane AND fallback = NEW.fallback AND NEW.state = 'queued'
      AND NOT (OLD.state = 'queued' AND OLD.fallback = NEW.fallback);
END;
CREATE TRIGGER message_is_not_queued AFTER UPDATE OF state, fallback ON message
WHEN OLD.state = 'queued' AND NOT (NEW.state = 'queued' AND NEW.fallback = OLD.fallback) BEGIN
    UPDATE lane SET queued = queued - 1 WHERE lane = OLD.lane AND fallback = OLD.fallback;
END;
CREATE TRIGGER message_was_queued AFTER DELETE ON message WHEN OLD.state = 'queued' BEGIN
    UPDATE lane SET queued = queued - 1 WHERE lane = OLD.lane AND fallback = OLD.fallback;
END;
