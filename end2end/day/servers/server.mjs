// A mail server of an account. It keeps its own record of everything that it was told and of what it took over: the day's
// accounts are made from it.
import { EventEmitter } from "node:events";
import { createServer } from "node:net";

import { Conversation } from "./conversation.mjs";

/**
 * Emits `step` with each step's name before it is answered, and `answered` when the answer to a message was written.
 *
 * - `security`: tls, starttls or none; `mechanisms`, `pipelining`, `chunking`: what it offers
 * - `login`, `secret`: who may send; no login, no AUTH
 * - `behaviour(step, facts)`: what it does instead of what a good server does (kinds.mjs); nothing for nothing
 * - `delay(conversation, reply)`: milliseconds before each reply
 */
export class MailServer extends EventEmitter {
  /** One for each MAIL. `kept`: it took the message over. `answered`: the code of the answer to the message. */
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

  /** Nobody answers any more: connections are refused, and those that are open are cut. */
  async close() {
    const listener = this.#listener;
    if (!listener) return;
    this.#listener = null;
    const closed = new Promise((done) => listener.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** How many times it was here before. */
  visit(...place) {
    const key = place.join(" ");
    const visits = this.#visits.get(key) ?? 0;
    this.#visits.set(key, visits + 1);
    return visits;
  }

  /** The transactions that ended with a message in its hands. */
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
