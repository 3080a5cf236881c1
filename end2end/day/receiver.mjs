// The receiver of the portal's webhooks: verifies signatures, fails for a third of the events, and is down part of the
// time.
//
// It fails once for an event, while the event is young: Facteur waits 5 s after the first failure, 30 s after the
// second, and then longer than this day lasts.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

import { freePort } from "./machine.mjs";

export class Receiver {
  /** The accepted events: `{ id, type, data }`; the same id may occur again. */
  events = [];
  /** Calls that violate the specification. */
  faults = [];
  calls = 0;
  failed = 0;
  /** Two of them: every call is signed with each, so that they can be rotated. */
  secrets = [0, 1].map(() => `whsec_${randomBytes(32).toString("base64")}`);

  #server = null;
  #tries = new Map();

  constructor(chance, called = () => {}) {
    Object.assign(this, { chance, called });
  }

  async open() {
    this.port ??= await freePort();
    this.#server = createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part)).on("error", () => {});
      request.on("end", () => this.#reply(response, this.#answer(request, Buffer.concat(parts))));
    });
    await new Promise((done, failed) => this.#server.once("error", failed).listen(this.port, "127.0.0.1", done));
  }

  async close() {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  }

  /** Replies in one of the forms of HTTP responses: with a body and its length, in chunks, without a body. */
  #reply(response, status) {
    const form = this.calls % 4;
    if (form === 0 && status === 200) response.writeHead(204).end();
    else if (form === 1) response.writeHead(status, { "content-length": 0 }).end();
    else if (form === 2) response.writeHead(status, { "content-type": "text/plain" }).end("thank you");
    else response.writeHead(status, { connection: "close" }).end();
  }

  #answer({ method, url, headers }, body) {
    this.calls++;
    this.called();
    const id = headers["webhook-id"];
    const fault = this.#fault(method, url, headers, body);
    if (fault) {
      this.faults.push(`webhook ${id}: ${fault}`);
      return 400;
    }
    const tries = this.#tries.get(id) ?? 0;
    this.#tries.set(id, tries + 1);
    const { type, timestamp, data } = JSON.parse(body);
    const age = Date.now() - Date.parse(timestamp);
    if (Number.isNaN(age)) this.faults.push(`webhook ${id}: its timestamp is ${timestamp}`);
    if (tries === 0 && age < 8000 && this.chance.happens(1 / 3, "webhook", this.calls)) {
      this.failed++;
      return 500;
    }
    this.events.push({ id, type, data, at: Date.now() });
    return 200;
  }

  #fault(method, url, headers, body) {
    if (method !== "POST" || url !== "/hook") return `${method} ${url}`;
    const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signatures = "" } = headers;
    if (!id) return "no webhook-id";
    if (!(Math.abs(Date.now() / 1000 - Number(time)) < 60)) return `its time is ${time}`;
    const given = signatures.split(" ").map((signature) => Buffer.from(signature));
    for (const [at, secret] of this.secrets.entries()) {
      const hmac = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"));
      const right = Buffer.from(`v1,${hmac.update(`${id}.${time}.`).update(body).digest("base64")}`);
      const signed = given.some((one) => one.length === right.length && timingSafeEqual(one, right));
      if (!signed) return `not signed with secret ${at}`;
    }
  }
}
