-- What a mended profile remembers, and whether the confirmation mail arrived.

-- The way to log in that works there; NULL is the best one that the server offers.
ALTER TABLE profile ADD COLUMN mechanism TEXT;
-- When the code of the last test's mail was typed in.
ALTER TABLE profile ADD COLUMN received_at INTEGER;

-- The code in the confirmation mail, as SHA-256 of its digits with a salt of its own.
CREATE TABLE receipt (
    profile    TEXT    NOT NULL PRIMARY KEY REFERENCES profile (id) ON DELETE CASCADE,
    salt       BLOB    NOT NULL,
    code       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
