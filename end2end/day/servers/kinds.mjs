// The kinds of mail servers. A behaviour is called at each step and returns how it deviates from a good server:
//
// - `reply`: another reply; with `bye` the connection is closed afterwards
// - `cut`: closes the connection at once; `silent`: sends nothing more; `endless`: a line without an end, and its
//   beginning
// - `keep`: at step `message`, whether the server has the message in spite of that
//
// The steps: greeting, hello, auth, mail, rcpt, data, body (its first bytes have arrived), message (its last ones
// have). To add a kind: a function here, an account in accounts.mjs, the possible outcomes in accounting/expected.mjs.

const BUSY = "451 4.3.0 Temporary failure, please try again later";
const CLOSING = "421 4.3.2 Service shutting down";

/** What a choice depends on: the message if it is known, otherwise the connection. */
const about = (step, { conversation, message, recipient, visit }) =>
  message ? [step, message, recipient, visit] : [step, conversation];

/** The first matching share of 1. */
function share(number, shares) {
  let sum = 0;
  for (const [size, action] of shares) {
    sum += size;
    if (number < sum) return action;
  }
}

export const kinds = {
  good: () => () => {},

  /** Drops the connection, says 421 or defers, at any step. */
  flaky: (chance) => (step, facts) => {
    const number = chance.number("flaky", ...about(step, facts));
    // A client that is cut off in the middle of a message cannot know whether it arrived: mostly the hostile kind does
    // that.
    if (step === "body") return number < 0.03 ? { cut: true } : undefined;
    const later = step === "auth" ? "454 4.7.0 Temporary authentication failure" : BUSY;
    const refusal = step === "greeting" || step === "hello" ? { reply: CLOSING, bye: true } : { reply: later };
    const cut = step === "message" ? { reply: later } : { cut: true };
    return share(number, [[0.04, cut], [0.03, { reply: CLOSING, bye: true }], [0.04, refusal]]);
  },

  /** Defers each recipient of each message once. */
  grey: () => (step, { visit }) => {
    if (step === "rcpt" && visit === 0) return { reply: "450 4.2.0 Greylisted, please come back in a few minutes" };
  },

  /** Decides by recipient: refuses `m1.refused@…` always, `m1.later@…` the first time. */
  picky: () => (step, { recipient = "", visit }) => {
    const [, way] = recipient.split("@")[0].split(".");
    if (way === "refused") return { reply: "550 5.1.1 No such user here" };
    if (way === "later" && visit === 0) return { reply: "451 4.3.2 Mailbox busy, please try again later" };
  },

  /** Refuses every password. */
  locked: () => (step) => {
    if (step === "auth") return { reply: "535 5.7.8 Username and password not accepted" };
  },

  /** Behaves as `state.weather` says, which the day changes. While it is `refused`, no port listens. */
  mended: (chance, state) => (step) => {
    if (state.weather === "closing" && step === "greeting") return { reply: CLOSING, bye: true };
    if (state.weather === "busy" && step === "mail") return { reply: BUSY };
  },

  /** Violates the protocol, above all once it has the message. */
  hostile: (chance) => (step, facts) => {
    const number = chance.number("hostile", ...about(step, facts));
    if (step === "greeting") return number < 0.12 ? { reply: "\x16\x03\x01\x02\0garbage\r\nHTTP/1.1 400 Bad Request" } : undefined;
    if (step === "hello") return number < 0.08 ? { endless: "250-" } : undefined;
    if (step !== "message") return;
    return share(number, [
      [0.12, { silent: true, keep: true }],
      [0.12, { silent: true, keep: false }],
      [0.15, { cut: true, keep: true }],
      [0.15, { cut: true, keep: false }],
      [0.08, { endless: "250 2.0.0 ", keep: true }],
      [0.08, { endless: "250 2.0.0 ", keep: false }],
    ]);
  },
};

/** The delay of a reply of each kind, in milliseconds. */
export const delays = {
  slow: (chance) => (conversation, reply) => chance.between(50, 300, "slow", conversation, reply),
};
