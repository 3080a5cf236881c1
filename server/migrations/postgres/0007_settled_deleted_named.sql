-- What became of a profile's messages, by the day: counted in the index alone. It serves what message_through did as well.
CREATE INDEX message_settled ON message (profile, state, finished_at, fallback) WHERE finished_at IS NOT NULL;
DROP INDEX message_through;

-- A profile that was deleted a moment ago is kept aside until it can no longer be restored. Its portal is '' meanwhile, which none
-- is: nothing that asks for an account's profiles finds it.
ALTER TABLE profile ADD COLUMN deleted_portal TEXT COLLATE "C";
ALTER TABLE profile ADD COLUMN deleted_session BYTEA; -- who may restore it
ALTER TABLE profile ADD COLUMN deleted_until BIGINT;
ALTER TABLE profile ADD COLUMN deleted_in_use BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE profile ADD COLUMN deleted_successor TEXT COLLATE "C"; -- who took over

-- What the owner calls a profile; '' if nothing.
ALTER TABLE profile ADD COLUMN name TEXT COLLATE "C" NOT NULL DEFAULT '';
