// Sends a message. FACTEUR_API_KEY_FILE names the file with the portal's API key.
import { readFileSync } from "node:fs";

const key = readFileSync(process.env.FACTEUR_API_KEY_FILE, "utf8").trimEnd();

/** `once`: your own id of this message. Using it again never sends the message twice. */
export async function send(message, once) {
  const request = {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": once },
    body: JSON.stringify(message),
  };
  for (let tries = 1; ; tries++) {
    const signal = AbortSignal.timeout(60_000);
    const answer = await fetch(`${process.env.FACTEUR_URL}/api/v1/messages`, { ...request, signal }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.status === 202 && said) return said; // id, state, message_id
    // No response, or 5xx: repeat the request with the same key.
    const passes = !said || answer.status >= 500;
    if (!passes || tries === 5) throw new Error(said ? JSON.stringify(said) : "Facteur is not responding");
    await new Promise((done) => setTimeout(done, 1000 * 2 ** tries));
  }
}
