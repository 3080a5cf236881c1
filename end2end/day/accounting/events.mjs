// Checks the portal's events: each message's end at least once, and the broken profile once.
import { PORTAL } from "../accounts.mjs";
import { where } from "./copies.mjs";

const TYPE = { accepted: "message.accepted", failed: "message.failed", delivery_unknown: "message.unknown" };

/** The finished messages without an event so far. */
export function unheard(messages, receiver) {
  const heard = new Set(receiver.events.map(({ type, data }) => `${type} ${data.message}`));
  const finished = messages.filter(({ account, seen }) => account.portal === PORTAL && seen && TYPE[seen.state]);
  return finished.filter(({ seen }) => !heard.has(`${TYPE[seen.state]} ${seen.id}`));
}

export function events(ledger, messages, accounts, receiver, ends) {
  ledger.look("webhooks are signed with every secret", receiver.faults);
  const missing = new Set(unheard(messages, receiver));
  const byId = new Map();
  for (const message of messages) {
    if (!message.seen) continue;
    byId.set(message.seen.id, message);
    if (message.account.portal !== PORTAL) continue;
    const problem = missing.has(message) && `${where(message)}: no ${TYPE[message.seen.state]}`;
    ledger.look("an event for every finished message", problem);
  }
  for (const event of receiver.events.filter(({ type }) => type.startsWith("message."))) {
    ledger.look("every event is true", untrue(event, byId.get(event.data.message)));
  }
  ledger.look("an id is one event", confused(receiver.events));
  broken(ledger, accounts, receiver, ends);
}

function untrue({ id, type, data }, message) {
  if (!message) return `${id}: ${type} for ${data.message}, which nobody posted`;
  if (message.account.portal !== PORTAL) return `${id}: ${where(message)} is another portal's`;
  if (TYPE[message.seen.state] !== type) return `${id}: ${type}, but ${where(message)} is ${message.seen.state}`;
}

function confused(events) {
  const known = new Map();
  return events.map(({ id, type, data }) => {
    const content = JSON.stringify([type, data]);
    const before = known.get(id) ?? content;
    known.set(id, before);
    return before !== content && `${id}: ${before}, then ${content}`;
  });
}

function broken(ledger, accounts, receiver, ends) {
  for (const account of accounts.filter(({ kind }) => kind === "locked")) {
    const told = receiver.events.filter(({ type, data }) => type === "profile.broken" && data.profile === account.profile);
    const ids = new Set(told.map(({ id }) => id));
    const { logins } = account.server;
    // It counts as broken from the third refusal.
    const problem = ids.size !== Number(logins.length >= 3) && `${account.name}: ${ids.size} times: ${JSON.stringify(told)}`;
    ledger.look("the broken password is reported once", problem);
    // Providers lock accounts, so three refusals stop further attempts. A second connection may have one in progress
    // beside the third, and a kill may prevent one from being recorded.
    const most = 4 + ends.length;
    ledger.look("a refused password is not tried for ever", logins.length > most && `${account.name}: ${logins.length} times`);
  }
}
