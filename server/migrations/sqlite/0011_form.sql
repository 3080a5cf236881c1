-- What a form was opened with, and what was typed into one.

-- Each change of the settings or the secret makes a new revision: a form that shows an older one does not overwrite it.
ALTER TABLE profile ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
-- The form that made the profile. Sent twice, it makes one.
ALTER TABLE profile ADD COLUMN creation TEXT;
CREATE UNIQUE INDEX profile_by_creation ON profile (portal, account, creation) WHERE creation IS NOT NULL;

-- What was typed and is not saved yet: it belongs to the person, since sessions end. Never a secret.
CREATE TABLE draft (
    portal  TEXT    NOT NULL,
    account TEXT    NOT NULL,
    person  TEXT    NOT NULL,
    form    TEXT    NOT NULL, -- the profile's id, or the one of the form that makes a new profile
    content TEXT    NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (portal, account, person, form)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_by_age ON draft (kept_at);
