-- A profile that was deleted a moment ago is kept aside until it can no longer be restored. Its portal is '' meanwhile, which none
-- is: nothing that asks for an account's profiles finds it.
ALTER TABLE profile ADD COLUMN deleted_portal TEXT;
ALTER TABLE profile ADD COLUMN deleted_session BLOB; -- who may restore it
ALTER TABLE profile ADD COLUMN deleted_until INTEGER;
ALTER TABLE profile ADD COLUMN deleted_in_use INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profile ADD COLUMN deleted_successor TEXT; -- who took over
