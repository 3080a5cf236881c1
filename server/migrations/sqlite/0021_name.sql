-- What the owner calls a profile; '' if nothing.
ALTER TABLE profile ADD COLUMN name TEXT NOT NULL DEFAULT '';
