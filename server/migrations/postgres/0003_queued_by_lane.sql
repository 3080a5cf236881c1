-- How many messages of a lane were not tried yet: those that wait only for a server's rest are counted without looking at them.
--
-- Lanes are locked in their order before anything of them is written, also by the statements that count (`store/postgres/queue/locks.rs`).

ALTER TABLE lane ADD COLUMN queued BIGINT NOT NULL DEFAULT 0;
UPDATE lane SET queued = counted.amount
    FROM (SELECT lane, fallback, count(*) AS amount FROM message WHERE state = 'queued' GROUP BY lane, fallback) AS counted
    WHERE lane.lane = counted.lane AND lane.fallback = counted.fallback;
CREATE INDEX lane_resting ON lane (rests_until) WHERE rests_until > 0;

CREATE OR REPLACE FUNCTION message_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (kind, amount) SELECT new_rows.state, count(*) FROM new_rows GROUP BY new_rows.state;
    -- Locks the lanes, in their order.
    INSERT INTO lane (lane, fallback, portal, account, next_at, wakings)
        SELECT new_rows.lane, new_rows.fallback, min(new_rows.portal), min(new_rows.account), min(new_rows.next_at),
            max(new_rows.wakings)
        FROM new_rows WHERE new_rows.state IN ('queued', 'deferred')
        GROUP BY new_rows.lane, new_rows.fallback ORDER BY new_rows.lane, new_rows.fallback
    ON CONFLICT (lane, fallback) DO UPDATE
        SET next_at = least(lane.next_at, excluded.next_at), wakings = greatest(lane.wakings, excluded.wakings)
        WHERE lane.next_at IS NULL OR lane.next_at > excluded.next_at OR lane.wakings < excluded.wakings;
    UPDATE lane SET queued = lane.queued + counted.amount
        FROM (SELECT new_rows.lane, new_rows.fallback, count(*) AS amount FROM new_rows
              WHERE new_rows.state = 'queued' GROUP BY new_rows.lane, new_rows.fallback) AS counted
        WHERE lane.lane = counted.lane AND lane.fallback = counted.fallback;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION message_has_turned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counts BOOLEAN;
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
    counts := EXISTS (SELECT 1 FROM new_rows JOIN old_rows USING (id)
        WHERE (old_rows.state = 'queued' OR new_rows.state = 'queued')
          AND (new_rows.state, new_rows.fallback) IS DISTINCT FROM (old_rows.state, old_rows.fallback));
    IF counts THEN
        PERFORM 1 FROM lane WHERE (lane.lane, lane.fallback) IN (
                SELECT new_rows.lane, new_rows.fallback FROM new_rows UNION SELECT old_rows.lane, old_rows.fallback FROM old_rows)
            ORDER BY lane.lane, lane.fallback FOR UPDATE;
    END IF;
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
    IF counts THEN
        UPDATE lane SET queued = lane.queued + counted.amount
            FROM (SELECT changed.lane, changed.fallback, sum(changed.amount) AS amount
                  FROM (SELECT new_rows.lane, new_rows.fallback, 1 AS amount FROM new_rows WHERE new_rows.state = 'queued'
                        UNION ALL
                        SELECT old_rows.lane, old_rows.fallback, -1 FROM old_rows WHERE old_rows.state = 'queued')
                      AS changed
                  GROUP BY changed.lane, changed.fallback HAVING sum(changed.amount) <> 0) AS counted
            WHERE lane.lane = counted.lane AND lane.fallback = counted.fallback;
    END IF;
    -- A message that was repaired is back in its lane, and out of the quarantine.
    DELETE FROM quarantine WHERE kind = 'message' AND "row" IN (
        SELECT new_rows.id FROM new_rows JOIN old_rows USING (id)
        WHERE old_rows.state = 'quarantined' AND new_rows.state <> 'quarantined');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION message_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (kind, amount) SELECT old_rows.state, -count(*) FROM old_rows GROUP BY old_rows.state;
    IF EXISTS (SELECT 1 FROM old_rows WHERE old_rows.state = 'queued') THEN
        PERFORM 1 FROM lane WHERE (lane.lane, lane.fallback) IN (
                SELECT old_rows.lane, old_rows.fallback FROM old_rows WHERE old_rows.state = 'queued')
            ORDER BY lane.lane, lane.fallback FOR UPDATE;
        UPDATE lane SET queued = lane.queued - counted.amount
            FROM (SELECT old_rows.lane, old_rows.fallback, count(*) AS amount FROM old_rows
                  WHERE old_rows.state = 'queued' GROUP BY old_rows.lane, old_rows.fallback) AS counted
            WHERE lane.lane = counted.lane AND lane.fallback = counted.fallback;
    END IF;
    DELETE FROM quarantine WHERE kind = 'message' AND "row" IN (
        SELECT old_rows.id FROM old_rows WHERE old_rows.state = 'quarantined');
    RETURN NULL;
END $$;
