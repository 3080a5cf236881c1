-- What the readiness check writes, to know that the database can be written.

CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL,
    -- As large as a message: a disk that is nearly full may have room for a byte.
    ballast BLOB NOT NULL
) STRICT;
