// The portal's programs: each posts the next message at its time, and repeats the POST under the same key until it gets
// 202. A response that broke off does not count.
import { sleep } from "./machine.mjs";

/** Posts all of them; `posted` is called after each 202. `message.told` has the responses to each key. */
export async function post(messages, portals, chance, clients, posted) {
  const began = Date.now();
  const waiting = [...messages];
  const client = async () => {
    for (let message; (message = waiting.shift()); ) {
      await sleep(began + message.at - Date.now());
      await hand(message, portals[message.account.portal], chance, posted);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

async function hand(message, portal, chance, posted) {
  Object.assign(message, { told: [], refused: [], tries: 0, givenAt: Date.now() });
  await insist(message, portal);
  posted(message);
  // Some programs repeat a request although they got a response, and some send two at once.
  const again = chance.number("again", message.name);
  if (again < 0.1) await insist(message, portal);
  else if (again < 0.15) await Promise.all([insist(message, portal), insist(message, portal)]);
  else if (again < 0.2) await reuse(message, portal);
}

async function insist(message, portal) {
  for (;;) {
    message.tries++;
    const { status, body } = await portal.post(message).catch((error) => ({ status: 0, body: error.message }));
    if (status === 202) return void message.told.push(body);
    // Facteur is down or busy: retry later. Any other response would be the same again.
    if (status !== 0 && status !== 429 && status < 500) {
      return void message.refused.push(`${status} ${JSON.stringify(body)}`);
    }
    if (Date.now() - message.givenAt > 60_000) return void message.refused.push(`no answer for 60 s: ${status} ${body}`);
    await sleep(100);
  }
}

/** Another message under the same key is refused. */
async function reuse(message, portal) {
  const other = { key: message.key, body: { ...message.body, subject: `${message.body.subject}, changed` } };
  const { status, body } = await portal.post(other).catch(() => ({ status: 0 }));
  if (status === 0 || status >= 500) return;
  if (status !== 422 || body.code !== "idempotency_key_reused") {
    message.refused.push(`another body under its key: ${status} ${JSON.stringify(body)}`);
  }
}
