-- Logins that were refused, and those that are under way: three refused passwords, and no more.

-- What a provider counts by: host, login and password, as a keyed hash. Profiles that are the same to it have the same one.
-- Those of before get one of their own.
ALTER TABLE profile ADD COLUMN login_key BLOB;
UPDATE profile SET login_key = randomblob(32) WHERE secret IS NOT NULL;
CREATE INDEX profile_by_login ON profile (login_key) WHERE login_key IS NOT NULL;

CREATE TABLE login (
    id    TEXT    NOT NULL PRIMARY KEY,
    key   BLOB    NOT NULL,
    at    INTEGER NOT NULL, -- when it began, or was refused
    until INTEGER           -- a place that is taken until then; NULL: it was refused
) STRICT, WITHOUT ROWID;
CREATE INDEX login_by_key ON login (key);
CREATE INDEX login_by_age ON login (at);

INSERT INTO login (id, key, at, until)
    SELECT lower(hex(randomblob(16))), profile.login_key, ifnull(profile.tested_at, 0), NULL
    FROM profile JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3) AS numbers ON numbers.n <= profile.secret_refusals
    WHERE profile.login_key IS NOT NULL;
ALTER TABLE profile DROP COLUMN secret_refusals;
