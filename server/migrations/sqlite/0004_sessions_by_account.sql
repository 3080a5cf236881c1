-- A portal ends the sessions of an account when its user signs out.
CREATE INDEX session_by_account ON session (content ->> '$.account.portal', content ->> '$.account.account');
