-- The messages of each state in the order of a list. What is being sent is few, and found by its lease.
CREATE INDEX message_listed ON message (portal, account, state, id)
    WHERE state IN ('queued', 'deferred', 'accepted', 'failed', 'delivery_unknown', 'quarantined');
DROP INDEX message_by_account;

-- Whoever settles a message says in the same write that its content goes. Elsewhere the trigger does.

DROP TRIGGER content_gone;
CREATE TRIGGER content_gone AFTER DELETE ON content BEGIN
    UPDATE message SET has_content = 0 WHERE id = OLD.message AND has_content = 1;
END;
