// The good mail server. It answers at once, and records when each message arrived; the subject identifies the message.
import { once } from "node:events";
import { createServer } from "node:net";
import { now } from "../processes.mjs";
import { converse } from "./conversation.mjs";

export class Sink {
  #arrivals = new Map();
  #server = createServer({ noDelay: true }, (socket) => converse(socket, {}, (message) => this.#arrived(message)));

  static async start() {
    const sink = new Sink();
    await once(sink.#server.listen(0, "127.0.0.1"), "listening");
    sink.port = sink.#server.address().port;
    return sink;
  }

  #arrived(message) {
    const at = now();
    const subject = message.find((line) => line.startsWith("Subject: "))?.slice(9);
    // A second arrival would be a message sent twice.
    this.#arrivals.set(subject, [...(this.#arrivals.get(subject) ?? []), at]);
  }

  /** When it arrived, or `undefined`. */
  arrival(subject) {
    return this.#arrivals.get(subject)?.[0];
  }

  /** How many messages arrived more than once. */
  get twice() {
    return [...this.#arrivals.values()].filter((times) => times.length > 1).length;
  }

  close() {
    this.#server.close();
  }
}
