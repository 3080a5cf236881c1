// A mail server of an account. It records everything that it received and accepted: the day's accounting uses this
// record.
import { EventEmitter } from "node:events";
import { createServer } from "node:net";

import { Conversation } from "./conversation.mjs";

/**
 * Emits `step` with each step's name before the reply, and `answered` when the reply to a message was written.
 *
 * - `security`: tls, starttls or none; `mechanisms`, `pipelining`, `chunking`: its extensions
 * - `login`, `secret`: the credentials; no login means no AUTH
 * - `behaviour(step, facts)`: how it deviates from a good server (kinds.mjs); undefined if it does not
 * - `delay(conversation, reply)`: milliseconds before each reply
 */
export class MailServer extends EventEmitter {
  /** One for each MAIL. `kept`: it accepted the message. `answered`: the code of the reply to the message. */
  transactions = [];
  /** When each connection was opened and closed, in milliseconds. */
  conversations = [];
  /** One for each AUTH: whether login and password were right. */
  logins = [];

  #listener;
  #sockets = new Set();
  #visits = new Map();

  constructor(options) {
    super();
    this.setMaxListeners(0);
    const usual = { security: "none", mechanisms: [], pipelining: false, chunking: false, behaviour: () => {}, delay: () => 0 };
    Object.assign(this, usual, options);
  }

  async listen() {
    this.#listener = createServer((socket) => void this.#meet(socket));
    await new Promise((done, failed) => {
      this.#listener.once("error", failed).listen(this.port ?? 0, "127.0.0.1", done);
    });
    this.port = this.#listener.address().port;
    return this;
  }

  /** Stops: connections are refused, and open ones are cut. */
  async close() {
    const listener = this.#listener;
    if (!listener) return;
    this.#listener = null;
    const closed = new Promise((done) => listener.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** How often this place was reached before. */
  visit(...place) {
    const key = place.join(" ");
    const visits = this.#visits.get(key) ?? 0;
    this.#visits.set(key, visits + 1);
    return visits;
  }

  /** The transactions whose message it accepted. */
  get kept() {
    return this.transactions.filter((transaction) => transaction.kept);
  }

  async #meet(socket) {
    const entry = { number: this.conversations.length, opened: Date.now(), closed: null };
    this.conversations.push(entry);
    this.#sockets.add(socket);
    socket.on("error", () => {}).on("close", () => {
      entry.closed = Date.now();
      this.#sockets.delete(socket);
    });
    await new Conversation(this, socket, entry).run();
  }
}
