-- The messages of each state in the order of a list. What is being sent is few, and found by its lease.
CREATE INDEX message_listed ON message (portal, account, state, id)
    WHERE state IN ('queued', 'deferred', 'accepted', 'failed', 'delivery_unknown', 'quarantined');
DROP INDEX message_by_account;

-- Whoever settles a message says in the same write that its content goes. Elsewhere the trigger does.

CREATE OR REPLACE FUNCTION content_is_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE message SET has_content = FALSE WHERE id IN (SELECT old_rows.message FROM old_rows) AND has_content;
    RETURN NULL;
END $$;

-- The triggers compare what was with what is without joining the two: PostgreSQL keeps the plan for one row, which takes hours for
-- a million.
CREATE OR REPLACE FUNCTION lane_has_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO destination (destination, next_at)
        SELECT moved.destination, min(moved.due_at)
        FROM (SELECT max(both_rows.destination) FILTER (WHERE both_rows.is_new) AS destination,
                     max(both_rows.due_at) FILTER (WHERE both_rows.is_new) AS due_at,
                     max(both_rows.destination) FILTER (WHERE NOT both_rows.is_new) AS old_destination,
                     max(both_rows.due_at) FILTER (WHERE NOT both_rows.is_new) AS old_due_at
              FROM (SELECT new_rows.lane, new_rows.fallback, new_rows.destination, new_rows.due_at, TRUE AS is_new FROM new_rows
                    UNION ALL
                    SELECT old_rows.lane, old_rows.fallback, old_rows.destination, old_rows.due_at, FALSE FROM old_rows)
                  AS both_rows
              GROUP BY both_rows.lane, both_rows.fallback) AS moved
        WHERE moved.due_at IS NOT NULL
          AND (moved.destination <> moved.old_destination OR moved.old_due_at IS NULL OR moved.due_at < moved.old_due_at)
        GROUP BY moved.destination ORDER BY moved.destination
    ON CONFLICT (destination) DO UPDATE SET next_at = excluded.next_at
        WHERE destination.next_at IS NULL OR destination.next_at > excluded.next_at;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION message_has_turned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counts BOOLEAN;
BEGIN
    IF NOT EXISTS (SELECT new_rows.id, new_rows.state, new_rows.next_at, new_rows.fallback FROM new_rows
                   EXCEPT SELECT old_rows.id, old_rows.state, old_rows.next_at, old_rows.fallback FROM old_rows) THEN
        RETURN NULL;
    END IF;
    INSERT INTO tally (kind, amount)
        SELECT changed.kind, sum(changed.amount)
        FROM (SELECT new_rows.state AS kind, 1 AS amount FROM new_rows UNION ALL SELECT old_rows.state, -1 FROM old_rows)
            AS changed
        GROUP BY changed.kind HAVING sum(changed.amount) <> 0;
    counts := EXISTS (SELECT new_rows.id, new_rows.fallback FROM new_rows WHERE new_rows.state = 'queued'
                      EXCEPT SELECT old_rows.id, old_rows.fallback FROM old_rows WHERE old_rows.state = 'queued')
           OR EXISTS (SELECT old_rows.id, old_rows.fallback FROM old_rows WHERE old_rows.state = 'queued'
                      EXCEPT SELECT new_rows.id, new_rows.fallback FROM new_rows WHERE new_rows.state = 'queued');
    IF counts THEN
        PERFORM 1 FROM lane WHERE (lane.lane, lane.fallback) IN (
                SELECT new_rows.lane, new_rows.fallback FROM new_rows UNION SELECT old_rows.lane, old_rows.fallback FROM old_rows)
            ORDER BY lane.lane, lane.fallback FOR UPDATE;
    END IF;
    INSERT INTO lane (lane, fallback, portal, account, next_at, wakings)
        SELECT changed.lane, changed.fallback, min(changed.portal), min(changed.account), min(changed.next_at),
            max(changed.wakings)
        FROM (SELECT new_rows.id, new_rows.lane, new_rows.fallback, new_rows.portal, new_rows.account, new_rows.state,
                  new_rows.next_at, new_rows.wakings
              FROM new_rows WHERE new_rows.state IN ('queued', 'deferred')
              EXCEPT
              SELECT old_rows.id, old_rows.lane, old_rows.fallback, old_rows.portal, old_rows.account, old_rows.state,
                  old_rows.next_at, old_rows.wakings
              FROM old_rows) AS changed
        GROUP BY changed.lane, changed.fallback ORDER BY changed.lane, changed.fallback
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
        SELECT old_rows.id FROM old_rows WHERE old_rows.state = 'quarantined'
        EXCEPT SELECT new_rows.id FROM new_rows WHERE new_rows.state = 'quarantined');
    RETURN NULL;
END $$;
