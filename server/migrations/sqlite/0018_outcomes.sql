-- Acceptances that are not yet in the rows of their messages (src/store/sqlite/outcomes.rs). Appending one changes one page:
-- a message, its attempt, its content and its indexes are on ten.
CREATE TABLE outcome (
    number     INTEGER NOT NULL PRIMARY KEY,
    message    TEXT    NOT NULL,
    recipients TEXT    NOT NULL, -- this and what follows as in message
    stage      TEXT,
    cause      TEXT,
    reply      TEXT,
    profile    TEXT,
    fallback   INTEGER NOT NULL,
    tries      INTEGER NOT NULL, -- to be added
    at         INTEGER NOT NULL,
    forgets    INTEGER NOT NULL, -- whether its content goes
    attempt    TEXT              -- JSON
) STRICT;
