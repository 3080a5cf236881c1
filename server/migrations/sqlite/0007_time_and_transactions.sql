-- The recipients to whom the end of the message is about to be sent, as JSON; NULL: to all who wait. A message for many
-- may need several transactions, and a crash leaves only those of the last one unknown.
ALTER TABLE message ADD COLUMN ending_to TEXT;

-- What waits after an attempt says why; what was accepted has no cause. (Both were taken from the last attempt before.)
UPDATE message SET cause = coalesce(
        (SELECT json_extract(value, '$.cause') FROM json_each(message.recipients)
         WHERE json_extract(value, '$.state') = 'pending' AND json_extract(value, '$.cause') IS NOT NULL LIMIT 1),
        'unknown')
    WHERE state = 'deferred' AND cause IS NULL;
UPDATE message SET cause = NULL WHERE state = 'accepted' AND cause IS NOT NULL;

-- The last instant that was seen, to tell a clock that was set from time that passed.
CREATE TABLE clock (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seen_at INTEGER NOT NULL, -- by the clock on the wall
    boot    TEXT    NOT NULL, -- which start of the machine
    up_ms   INTEGER NOT NULL  -- milliseconds since then
) STRICT;
