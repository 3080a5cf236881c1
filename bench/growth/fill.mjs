// Hundreds of thousands of waiting messages, finished messages and profiles, written into the database while Facteur is
// down, in Facteur's own format. The triggers of the schema count and sort them. Contents are left out, because these
// messages are never sent.
//
// `lanes(waiting)` accounts or users have about ten messages each, and one account has a fifth of all messages.

/** The account with the long lane, which also sends new messages. */
export const LONG = "long";
const HOUR = 3_600_000;

const dialects = {
  sqlite: {
    from: (count) => `(WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ${count})
      SELECT n FROM number) AS number`,
    id: (ms, n) => `printf('%08x-%04x-7000-8000-%012x', (${ms}) >> 16, (${ms}) & 65535, ${n})`,
    bytes: (count) => `randomblob(${count})`,
    key: "lower(hex(randomblob(16)))",
    lane: (...parts) => parts.join(" || char(31) || "),
    yes: 1,
    user: "user",
    begin: "BEGIN;",
  },
  postgres: {
    from: (count) => `(SELECT generate_series(0, ${count - 1})::bigint AS n) AS number`,
    id: (ms, n) =>
      `(lpad(to_hex((${ms}) >> 16), 8, '0') || '-' || lpad(to_hex((${ms}) & 65535), 4, '0') || '-7000-8000-'
        || lpad(to_hex(${n}), 12, '0'))`,
    bytes: (count) =>
      `decode(substr(repeat(md5(random()::text || n), ${Math.ceil(count / 16)}), 1, ${count * 2}), 'hex')`,
    key: "md5(random()::text || n)",
    lane: (...parts) => `(${parts.join(" || chr(31) || ")})`,
    yes: "TRUE",
    user: '"user"',
    // Its triggers are made for the rows of a batch: with so many rows, the sums are computed here.
    begin: "BEGIN; SET LOCAL session_replication_role = replica;",
  },
};

export const lanes = (waiting) => Math.max(1, Math.ceil(waiting / 25)); // of each of the two kinds

/**
 * Waiting messages: two fifths were deferred, each by its account's own server; two fifths are due, in the lanes of
 * users whose common server is in back-off; a fifth was deferred in one long lane.
 */
export function waiting(kind, count, now) {
  const { from, id, bytes, key, lane, user, begin } = dialects[kind];
  const most = lanes(count);
  const kinds = (
    far,
    held,
    long,
  ) => `CASE n % 5 WHEN 0 THEN ${far} WHEN 1 THEN ${far} WHEN 2 THEN ${held} WHEN 3 THEN ${held}
      ELSE ${long} END`;
  const at = `${now - HOUR} + n * ${HOUR} / ${count}`;
  const [far, person] = [`'far-' || (n / 5 % ${most})`, `'u-' || (n / 5 % ${most})`];
  const recipient = (rest) =>
    `'[{"address":"customer-' || n || '@bench.example","kind":"to","state":"pending"${rest}}]'`;
  const tried = recipient(',"cause":"timeout"');
  const behind = (number, account) => lane("'profile'", "'near'", account, `'${uuid(number)}'`);
  const destination = `CASE account WHEN '${LONG}' THEN ${lane("'relay'", "'near'")}
      WHEN 'held' THEN ${behind(2, "'held'")} ELSE ${behind(1, "account")} END`;
  const sums = {
    sqlite: `UPDATE lane SET destination = ${destination} WHERE destination = '';`,
    postgres: `INSERT INTO lane (lane, fallback, portal, account, destination, next_at, queued)
  SELECT lane, fallback, portal, account, ${destination}, min(next_at), count(*) FILTER (WHERE state = 'queued')
  FROM message WHERE state IN ('queued', 'deferred') GROUP BY lane, fallback, portal, account;
INSERT INTO destination (destination, next_at)
  SELECT destination, min(due_at) FROM lane GROUP BY destination ON CONFLICT DO NOTHING;
INSERT INTO tally (kind, amount) SELECT state, count(*) FROM message GROUP BY state;`,
  };
  return `${begin}
INSERT INTO message (id, portal, account, ${user}, lane, idempotency_key, request_hash, message_id, subject, size,
    recipients, state, cause, tries, created_at, updated_at, expires_at, next_at)
  SELECT ${id(at, "n")}, 'near', ${kinds(far, "'held'", `'${LONG}'`)}, ${kinds("NULL", person, "NULL")},
      ${kinds(lane("'near'", far), lane("'near'", "'held'", person), lane("'near'", `'${LONG}'`))},
      ${key}, ${bytes(32)}, ${key} || '@bench.example', 'Quotation ' || n, 2059,
      ${kinds(tried, recipient(""), tried)}, ${kinds("'deferred'", "'queued'", "'deferred'")},
      ${kinds("'timeout'", "NULL", "'timeout'")}, ${kinds(3, 0, 3)}, ${at}, ${at}, ${now + 24 * HOUR},
      ${kinds(`${now + 4 * HOUR} + n`, at, `${now + 4 * HOUR} + n`)}
  FROM ${from(count)};
${sums[kind]}
UPDATE destination SET rests_until = ${now + 2 * HOUR}, troubles = 3, cause = 'timeout'
  WHERE destination = ${behind(2, "'held'")};
COMMIT;
`;
}

/** Messages that were accepted a while ago, two a second until `last`, with an attempt each. */
export function finished(kind, count, last, account = "'shop-' || (n % 1000)") {
  const { from, id, bytes, key, lane, begin, yes } = dialects[kind];
  const at = `${last} - (${count} - n) * 500`;
  const recipient = `'[{"address":"customer-' || n || '@bench.example","kind":"to","state":"accepted"}]'`;
  const attempt = '{"at":"2026-01-01T00:00:00Z","duration_ms":12,"via":"relay","outcome":"accepted"}';
  const sum = `INSERT INTO tally (kind, amount) VALUES ('accepted', ${count});`;
  return `${begin}
INSERT INTO message (id, portal, account, lane, idempotency_key, request_hash, message_id, subject, size, recipients, state,
    tries, created_at, updated_at, expires_at, finished_at, has_content)
  SELECT ${id(at, "n")}, 'near', ${account}, ${lane("'near'", account)}, ${key}, ${bytes(32)}, ${key} || '@bench.example',
      'Quotation ' || n, 2059, ${recipient}, 'accepted', 1, ${at}, ${at}, ${at} + ${24 * HOUR}, ${at}, NOT ${yes}
  FROM ${from(count)};
INSERT INTO attempt (message, number, content)
  SELECT id, 1, '${attempt}' FROM message WHERE finished_at < ${last} ON CONFLICT DO NOTHING;
${kind === "postgres" ? sum : ""}
COMMIT;
`;
}

/** Profiles, two for each account; one of them is in use, and one in fifty has an hourly login check. */
export function profiles(kind, count, now) {
  const { from, id, bytes, begin } = dialects[kind];
  return `${begin}
INSERT INTO account (portal, account, sending_mode)
  SELECT 'near', 'own-' || n, 'own_smtp' FROM ${from(Math.ceil(count / 2))};
INSERT INTO profile (id, portal, account, host, port, security, login, sender_name, sender_address, encoding, in_use, secret,
    secret_changed_at, login_key, check_hourly, checked_at)
  SELECT ${id(`${now - HOUR} + n`, "n")}, 'near', 'own-' || (n / 2), 'smtp' || (n % 500) || '.bench.example', 465, 'tls',
      'user' || n || '@bench.example', 'Shop ' || n, 'user' || n || '@bench.example', 'UTF-8', n % 2 = 0,
      ${bytes(96)}, ${now - HOUR}, ${bytes(32)}, n % 50 = 0, ${now}
  FROM ${from(count)};
COMMIT;
`;
}

const uuid = (number) => `01900000-0000-7000-8000-${String(number).padStart(12, "0")}`;
