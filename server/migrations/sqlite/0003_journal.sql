-- Who changed what. Never a secret, nor anything that was typed into a secret's field.
CREATE TABLE journal (
    id      TEXT    NOT NULL PRIMARY KEY, -- UUID version 7: sorts by age
    portal  TEXT    NOT NULL,
    account TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    person  TEXT    NOT NULL, -- the portal's id of the person
    content TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_by_account ON journal (portal, account, id);
CREATE INDEX journal_by_age ON journal (at);
