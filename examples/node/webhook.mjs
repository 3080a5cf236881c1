// Receives Facteur's events. FACTEUR_WEBHOOK_SECRET_FILE names the file with the secret that Facteur shares.
//   FACTEUR_WEBHOOK_SECRET_FILE=webhook.key PORT=4001 node webhook.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const text = readFileSync(process.env.FACTEUR_WEBHOOK_SECRET_FILE, "utf8").trimEnd();
const secret = Buffer.from(text.slice("whsec_".length), "base64");

/** The event; null if Facteur did not sign it, or more than five minutes ago. `body`: the unmodified bytes. */
export function facteurEvent(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(at)) <= 300)) return null;
  const expected = createHmac("sha256", secret).update(`${id}.${at}.`).update(body).digest();
  const genuine = signatures.split(" ").some((one) => {
    const given = Buffer.from(one.startsWith("v1,") ? one.slice(3) : "", "base64");
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return genuine ? JSON.parse(body) : null;
}

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const event = facteurEvent(request.headers, Buffer.concat(parts));
  // An event may come again with the same webhook-id: remember the ones you have handled.
  if (event) console.log(request.headers["webhook-id"], event.type, event.data);
  response.writeHead(event ? 204 : 400).end();
}).listen(Number(process.env.PORT), "127.0.0.1");
