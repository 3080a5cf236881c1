// The network between the portal, the replicas and the database: a plain TCP load balancer, and links that can be cut.
import { connect, createServer } from "node:net";

/** Passes each connection on to the next of `ports` that answers. */
export class Balancer {
  #next = 0;
  #server = createServer((client) => this.#pass(client));
  #open = new Set();

  constructor(port, ports) {
    Object.assign(this, { port, ports });
  }

  async open() {
    await new Promise((done, failed) => this.#server.once("error", failed).listen(this.port, "127.0.0.1", done));
  }

  get isOpen() {
    return this.#server.listening;
  }

  #pass(client, tries = 0) {
    client.on("error", () => {});
    if (tries === this.ports.length) return client.destroy();
    const behind = connect(this.ports[this.#next++ % this.ports.length], "127.0.0.1");
    behind.once("error", () => this.#pass(client, tries + 1));
    behind.once("connect", () => {
      behind.removeAllListeners("error");
      for (const [one, other] of [[client, behind], [behind, client]]) {
        this.#open.add(one);
        one.on("error", () => other.destroy()).on("close", () => (this.#open.delete(one), other.destroy()));
      }
      client.pipe(behind).pipe(client);
    });
  }

  async close() {
    const closed = new Promise((done) => this.#server.close(done));
    this.#open.forEach((socket) => socket.destroy());
    await closed;
  }
}

/**
 * A link to a port. While it is cut, nothing passes in either direction and no error is reported, as with an unplugged
 * cable.
 */
export class Link {
  #server = createServer((one) => this.#pass(one));
  #pairs = new Set();
  #cut = false;

  constructor(to) {
    this.to = to;
  }

  async open() {
    await new Promise((done, failed) => this.#server.once("error", failed).listen(0, "127.0.0.1", done));
    this.port = this.#server.address().port;
    return this;
  }

  #pass(one) {
    const other = connect(this.to, "127.0.0.1");
    const pair = [one, other];
    this.#pairs.add(pair);
    for (const [socket, twin] of [pair, [other, one]]) {
      socket.on("error", () => {});
      socket.on("data", (data) => void (twin.write(data) || (socket.pause(), twin.once("drain", () => this.#cut || socket.resume()))));
      socket.on("close", () => (this.#pairs.delete(pair), this.#cut ? undefined : twin.destroy()));
    }
    if (this.#cut) pair.forEach((socket) => socket.pause());
  }

  cut() {
    this.#cut = true;
    for (const pair of this.#pairs) pair.forEach((socket) => socket.pause());
  }

  mend() {
    this.#cut = false;
    for (const pair of this.#pairs) {
      if (pair.some((socket) => socket.destroyed)) pair.forEach((socket) => socket.destroy());
      else pair.forEach((socket) => socket.resume());
    }
  }

  async close() {
    const closed = new Promise((done) => this.#server.close(done));
    for (const pair of this.#pairs) pair.forEach((socket) => socket.destroy());
    await closed;
  }
}
