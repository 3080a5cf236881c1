// How many copies each recipient got, and whether the state agrees. The servers' own record is the truth.
import { recipients } from "../messages.mjs";
import { messageOf } from "../servers/conversation.mjs";
import { causesOf, fails } from "./expected.mjs";

/** In milliseconds: Facteur may not have written a server's answer to disk when a kill follows within this time. */
const WRITING_DOWN = 1500;

/** Checks every message; `message.seen` has the API's response. */
export function copies(ledger, messages, accounts, ends) {
  for (const account of accounts) strangers(ledger, account, messages);
  for (const message of messages) {
    if (!message.seen) continue;
    const { server } = message.account;
    const mine = server.transactions.filter(({ to, refused }) => [...to, ...refused].some((one) => messageOf(one) === message.name));
    message.transactions = mine;
    message.copies = mine.filter(({ kept }) => kept);
    never(ledger, message);
    states(ledger, message);
    if (message.seen.state === "delivery_unknown") unknown(ledger, message, ends);
  }
}

const count = (message, address) => message.copies.filter(({ to }) => to.includes(address.toLowerCase())).length;

/** Finds messages at the server of another account. */
function strangers(ledger, account, messages) {
  const own = new Map(messages.filter((message) => message.account === account).map((message) => [message.name, message]));
  for (const { to, refused, reached } of account.server.transactions) {
    // A login check names the sender as the recipient, and ends before the message.
    if (reached === "mail" && [...to, ...refused].every((address) => address === account.sender.address)) continue;
    const foreign = [...to, ...refused].filter((address) => {
      const known = own.get(messageOf(address));
      return !known || !recipients(known).some((one) => one.address.toLowerCase() === address);
    });
    const problem = foreign.length && `the server of ${account.name} was given ${foreign.join(", ")}`;
    ledger.look("no message, and no recipient, at the server of another account", problem);
    const mixed = new Set([...to, ...refused].map(messageOf)).size > 1;
    ledger.look("one message in a transaction", mixed && `${account.name}: ${to.join(", ")}`);
  }
}

function never(ledger, message) {
  for (const { address } of recipients(message)) {
    const copies = count(message, address);
    const problem = copies > 1 && `${where(message)}: ${copies} copies for ${address}`;
    ledger.look("never two copies of a message for a recipient", problem);
  }
}

function states(ledger, message) {
  const { state, recipients: given, attempts } = message.seen;
  const finished = ["accepted", "failed", "delivery_unknown"].includes(state);
  ledger.look("every message comes to an end", !finished && `${where(message)}: ${state}`);
  const wanted = recipients(message).map(({ kind, address }) => `${kind} ${address}`).sort();
  const listed = given.map(({ kind, address }) => `${kind} ${address}`).sort();
  ledger.look("its recipients are those of the POST", wanted.join() !== listed.join() && `${where(message)}: ${listed}`);
  for (const { address, state: one, cause: own } of given) {
    // An untried recipient has the message's cause: why no attempt was made.
    const cause = own ?? message.seen.cause ?? attempts.at(-1)?.cause;
    const copies = count(message, address);
    const says = `${where(message)}: ${address} is ${one} and got ${copies}`;
    if (one === "accepted") ledger.look("an accepted recipient got exactly one copy", copies !== 1 && says);
    if (one === "failed") {
      ledger.look("a failed recipient got none", copies !== 0 && says);
      const strange = !causesOf(message.account).includes(cause) && `${where(message)}: ${address} failed for ${cause}`;
      ledger.look("a recipient fails for a cause that its server has", strange);
    }
    if (one === "delivery_unknown") ledger.look("an unknown recipient got one copy or none", copies > 1 && says);
    const doomed = fails(message.account, address);
    // A kill during the attempt may have lost the server's answer about this recipient.
    if (doomed && one !== "failed" && state !== "delivery_unknown") ledger.look("a recipient that the server always refuses has failed", says);
    if (doomed === false && one === "failed") ledger.look("no recipient fails that the server accepts", `${says}: ${cause}`);
  }
  const states = new Set(given.map(({ state: one }) => one));
  const right =
    {
      accepted: states.has("accepted"),
      failed: states.size === 1 && states.has("failed"),
      delivery_unknown: states.has("delivery_unknown"),
    }[state] &&
    !states.has("pending") && (state === "delivery_unknown" || !states.has("delivery_unknown"));
  ledger.look("state and recipients say the same", finished && !right && `${where(message)}: ${state}, but ${[...states]}`);
  const numbers = attempts.map(({ number }) => number);
  ledger.look("attempts are numbered from 1", numbers.some((number, at) => number !== at + 1) && `${where(message)}: ${numbers}`);
  const way = message.account.mode === "portal" ? "relay" : "profile";
  // Attempts that ended with a crash, or expired before they began, have no known route.
  const unsaid = ["delivery_unknown", "expired"];
  const astray = attempts.filter(({ outcome, via }) => via !== way && !(via === null && unsaid.includes(outcome)));
  const ways = astray.map(({ number, outcome, via }) => `${where(message)}: ${number}, ${outcome}, via ${via}`);
  ledger.look("attempts use the account's route", ways);
  const borrowed = attempts.filter(({ outcome, cause, reply }) => outcome === "interrupted" && (cause || reply));
  const words = borrowed.map(({ number, cause, reply }) => `${where(message)}: ${number} was interrupted, and says ${cause}: ${reply}`);
  ledger.look("an interrupted attempt has no answer of a server", words);
  const queued = attempts.map(({ queue_id }) => queue_id).filter(Boolean);
  const lied = queued.filter((id) => !message.copies.some((copy) => copy.id === id));
  ledger.look("queue ids are the server's", lied.length && `${where(message)}: ${lied}`);
}

/** Whether `delivery_unknown` is justified: the server did not answer the message, or a kill came in between. */
function unknown(ledger, message, ends) {
  const kills = ends.filter(({ signal }) => signal === "SIGKILL");
  // Other recipients of it may have had a later transaction.
  const doubtful = message.seen.recipients.filter(({ state }) => state === "delivery_unknown").map(({ address }) => address.toLowerCase());
  const last = message.transactions.findLast(({ to, refused }) => doubtful.some((address) => [...to, ...refused].includes(address)));
  const seen = message.seen.attempts.findLast(({ outcome }) => outcome === "delivery_unknown");
  const { conversations } = message.account.server;
  const open = (kill) => conversations.some(({ opened, closed }) => opened <= kill.ended && (closed ?? Infinity) >= kill.at - 50);
  let reason;
  if (last && last.reached !== "mail" && last.answered === null) reason = "no answer";
  else if (last?.answeredAt && kills.some(({ at, ended }) => ended >= last.dotAt && at < last.answeredAt + WRITING_DOWN)) {
    reason = "killed after the answer";
  }
  // With CHUNKING the message is sent together with the commands before it.
  else if (message.account.chunking && kills.some((kill) => open(kill) && kill.at <= Date.parse(message.seen.updated_at))) {
    reason = "killed before the message";
  }
  // The server refused every recipient, and the kill came before Facteur had written that to disk.
  else if (message.account.chunking && last && kills.some(({ at, ended }) => ended >= last.at && at < last.at + WRITING_DOWN)) {
    reason = "killed after the refusal";
  }
  message.unknownBecause = reason;
  const record = last && { ...last, parts: undefined, raw: undefined };
  const problem = !reason && `${where(message)}: ${JSON.stringify(seen)}; its server: ${JSON.stringify(record)}`;
  ledger.look("delivery_unknown only if the end may have been sent and the answer is unknown", problem);
}

export const where = (message) => `${message.name} (${message.account.name}, ${message.seen?.id ?? "no id"})`;
