-- What the owner calls a profile; '' if nothing.
ALTER TABLE profile ADD COLUMN name TEXT COLLATE "C" NOT NULL DEFAULT '';
