// Checks what the API told its clients: one id for a key, every message listed once, nothing of another portal's.
import { where } from "./copies.mjs";

/** Requests every message, and stores the response in `message.seen`. */
export async function answers(ledger, messages, accounts, portals) {
  for (const message of messages) await one(ledger, message, portals);
  for (const account of accounts) {
    const listed = await portals[account.portal].list(account.id, 7);
    const mine = messages.filter((message) => message.account === account);
    const problems = [];
    for (const message of mine) {
      const times = listed.filter(({ reference }) => reference === message.name).length;
      if (times !== 1) problems.push(`${where(message)}: ${times} times in its account's list`);
      const entry = listed.find(({ id }) => id === message.seen?.id);
      if (!entry) problems.push(`${where(message)}: its id is not in the list`);
      else if (entry.state !== message.seen.state) problems.push(`${where(message)}: ${entry.state} in the list`);
    }
    for (const { id, reference } of listed) {
      if (!mine.some(({ name }) => name === reference)) problems.push(`${account.name}: the list has ${id}, ${reference}`);
    }
    const ids = listed.map(({ id }) => id);
    if (new Set(ids).size !== ids.length) problems.push(`${account.name}: an id stands twice in the pages`);
    const times = listed.map(({ created_at }) => Date.parse(created_at));
    // Messages accepted at the same moment may be in any order.
    if (times.some((time, at) => time > times[at - 1] + 500)) problems.push(`${account.name}: not the newest first`);
    ledger.look("an account's list, in pages of 7, has each of its messages once", problems);
  }
}

async function one(ledger, message, portals) {
  const ids = new Set(message.told.map(({ id }) => id));
  ledger.look("no good message is refused", message.refused.map((why) => `${where(message)}: ${why}`));
  ledger.look("one id for one key", ids.size !== 1 && `${where(message)}: ${[...ids].join(", ") || "none"}`);
  const [id] = ids;
  if (!id) return;
  const mine = portals[message.account.portal];
  const { status, body } = await mine.get(id);
  ledger.look("a message answered with 202 exists", status !== 200 && `${where(message)}, ${id}: ${status} ${JSON.stringify(body)}`);
  if (status !== 200) return;
  message.seen = body;
  const stable = message.told.every(({ message_id }) => message_id === body.message_id);
  ledger.look("Message-ID never changes", !stable && `${where(message)}: ${message.told.map(({ message_id }) => message_id)}`);
  const same = body.reference === message.name && body.account === message.account.id && body.subject === message.body.subject;
  ledger.look("reference, account and subject are the message's", !same && `${where(message)}: ${JSON.stringify(body).slice(0, 300)}`);
  for (const other of Object.values(portals)) {
    if (other === mine) continue;
    const { status: foreign } = await other.get(id);
    ledger.look("to another portal it does not exist", foreign !== 404 && `${where(message)}: ${foreign}`);
  }
}
