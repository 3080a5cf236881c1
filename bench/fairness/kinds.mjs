// Bad mail servers: how the answers of each kind differ from those of a working one.
//
// To add a kind: a line here. `security` is the setting in the profiles of its accounts; `open` handles a whole
// connection.
import { NEVER, WELL, late } from "./conversation.mjs";
import { now, pause } from "../processes.mjs";
import { scram } from "./scram.mjs";

/** The password in every profile. */
export const PASSWORD = "abcdefghijklmnop";

/** The most bytes that an endless server sends on one connection. */
const MOST = 64 << 20;

/** Sends a part of a reply and closes the connection. */
const leave =
  (text, how = "end") =>
  (socket) => {
    socket.write(text, () => (how === "reset" ? socket.resetAndDestroy() : socket.end()));
    return NEVER();
  };

/** Sends the same text endlessly, as fast as it is read, or with pauses. */
const flood =
  (piece, ms = 0) =>
  async (socket) => {
    socket.resume();
    for (let sent = 0; socket.writable && sent < MOST; sent += piece.length) {
      const goesOn = socket.write(piece);
      if (ms > 0) await pause(ms);
      else if (!goesOn)
        await Promise.race(["drain", "close"].map((event) => new Promise((done) => socket.once(event, done))));
    }
    socket.destroy();
  };

/** One byte a second. */
const drip = (text) => async (socket) => {
  for (const byte of text) {
    if (!socket.writable) break;
    socket.write(byte);
    await pause(1000);
  }
  return "";
};

/** Works for some time after its first message, and then stops responding. */
const awake = new Map();
const sleeper = (ms) => (socket) => {
  const host = socket.localAddress;
  if (!awake.has(host)) awake.set(host, now() + ms);
  return now() < awake.get(host) ? WELL.end : NEVER();
};

const slowly = (ms) => Object.fromEntries(Object.entries(WELL).map(([what, text]) => [what, late(ms, text)]));
const always = (text) =>
  Object.fromEntries(["AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP"].map((what) => [what, text]));

/** A refusal of the maximum length, with every word that the diagnosis looks for. */
const LONG_REFUSAL = `${"550-5.7.1 blocked, spam, quota, password, mailbox unavailable: user@bench.example\r\n".repeat(700)}550 5.7.1 no\r\n`;

export const KINDS = {
  // No listener.
  closed: { title: "closed port", nobody: true },
  blackhole: { title: "does not answer the SYN", stopped: true },
  reset: { title: "resets at once", open: (socket) => socket.resetAndDestroy() },
  // Slow.
  silent: { title: "never a banner", open: NEVER },
  "late-banner": { title: "banner after 20 s", banner: late(20_000, WELL.banner) },
  "slow-replies": { title: "each reply after 5 s", ...slowly(5_000) },
  drip: { title: "a byte a second", banner: drip(WELL.banner) },
  "auth-hangs": { title: "AUTH is not answered", AUTH: NEVER },
  "tarpit-354": { title: "354 after 30 s", DATA: late(30_000, WELL.DATA) },
  "no-answer": { title: "final dot is not answered", end: NEVER },
  "tls-hangs": { title: "TLS handshake never ends", security: "tls", open: NEVER },
  "starttls-hangs": {
    title: "handshake after STARTTLS never ends",
    security: "starttls",
    EHLO: "250-mail.example\r\n250 STARTTLS\r\n",
    STARTTLS: (socket) => {
      socket.write("220 2.0.0 go on\r\n");
      return NEVER();
    },
  },
  // Just fast enough to count as quick; and in between.
  "almost-slow": { title: "accepts each message after 0.9 s", end: late(900, WELL.end) },
  "half-slow": { title: "accepts each message after 2.5 s", end: late(2_500, WELL.end) },
  // Good for a while, like servers that then failed in practice.
  sleeper: { title: "works for 5 s, then the final dot is not answered", end: sleeper(5_000) },
  // Refusing.
  421: { title: "421 at once", banner: leave("421 4.3.2 not now\r\n") },
  451: { title: "451 to everything", ...always("451 4.3.0 not now\r\n") },
  550: { title: "550 to everything", ...always("550 5.7.1 never\r\n") },
  sender: { title: "550 to the sender", MAIL: "550 5.7.1 not you\r\n" },
  535: { title: "535 to the login", AUTH: "535 5.7.8 no\r\n" },
  greylist: { title: "451 to each recipient", RCPT: "451 4.7.1 come back later\r\n" },
  unknown: { title: "550 to each recipient", RCPT: "550 5.1.1 no such user\r\n" },
  "long-refusal": { title: "550 of 56 kB to each recipient", RCPT: LONG_REFUSAL },
  "long-replies": {
    title: "each of its replies has 56 kB",
    EHLO: `${"250-mail.example a.b.c.d\r\n".repeat(2_300)}250 AUTH PLAIN\r\n`,
    end: leave(`${"250-2.0.0 taken a.b.c.d\r\n".repeat(2_300)}250 2.0.0 ok\r\n`),
  },
  // Expensive.
  scram: {
    title: "a dear login for each message",
    EHLO: "250-mail.example\r\n250 AUTH SCRAM-SHA-256\r\n",
    AUTH: scram(PASSWORD),
    end: leave("250 2.0.0 taken\r\n"),
  },
  // Broken.
  cut: { title: "closes in the middle of a reply", EHLO: leave("250-mail.example\r\n250-PIPE") },
  "cut-at-dot": { title: "closes at the final dot", end: leave("") },
  endless: { title: "a reply without an end, slowly", EHLO: flood("250-more\r\n", 200) },
  "endless-fast": { title: "a reply without an end, fast", EHLO: flood("250-more\r\n".repeat(6_000)) },
  garbage: { title: "megabytes without a line end", banner: flood("x".repeat(64 << 10)) },
  // For comparison: accounts with as many messages and working servers.
  well: { title: "none: they work", fine: true },
};
