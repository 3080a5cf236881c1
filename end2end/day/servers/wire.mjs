// Lines and bytes of a connection, in the order in which they arrived.
import { TLSSocket } from "node:tls";

/** The peer has closed the connection. */
export class Gone extends Error {}

export class Wire {
  #socket;
  #buffer = Buffer.alloc(0);
  #gone = false;
  #waiting = [];

  constructor(socket) {
    this.#listen(socket);
  }

  #listen(socket) {
    this.#socket = socket;
    socket.setNoDelay?.(true);
    socket.on("data", (bytes) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes]);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#gone = true;
      this.#wake();
    });
  }

  #wake() {
    for (const done of this.#waiting.splice(0)) done();
  }

  #change() {
    return new Promise((done) => this.#waiting.push(done));
  }

  async #more() {
    if (this.#gone) throw new Gone();
    await this.#change();
  }

  #take(length) {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  /** The next line, without its end. */
  async line() {
    for (;;) {
      const end = this.#buffer.indexOf("\n");
      if (end >= 0) return this.#take(end + 1).toString("utf8").replace(/\r?\n$/, "");
      await this.#more();
    }
  }

  async bytes(length) {
    while (this.#buffer.length < length) await this.#more();
    return Buffer.from(this.#take(length));
  }

  /** Waits for the next byte without reading it. */
  async first() {
    while (this.#buffer.length === 0) await this.#more();
  }

  /** A message up to its dot (RFC 5321 §4.5.2), without dot-stuffing. */
  async upToDot() {
    for (let from = 0; ; ) {
      if (this.#buffer.subarray(0, 3).equals(Buffer.from(".\r\n"))) {
        this.#take(3);
        return Buffer.alloc(0);
      }
      const end = this.#buffer.indexOf("\r\n.\r\n", from);
      if (end >= 0) {
        const text = this.#take(end + 5).subarray(0, end + 2).toString("latin1");
        return Buffer.from(text.replace(/^\./, "").replaceAll("\r\n.", "\r\n"), "latin1");
      }
      from = Math.max(0, this.#buffer.length - 4);
      await this.#more();
    }
  }

  /** Writes, unless the peer has closed the connection. Returns whether it wrote. */
  write(text) {
    const there = !this.#gone && this.#socket.writable;
    if (there) this.#socket.write(text);
    return there;
  }

  /** A line that never ends. */
  async endless(start) {
    this.write(start);
    while (!this.#gone && this.#socket.writable) {
      const room = this.#socket.write("x".repeat(16 * 1024));
      await new Promise((done) => {
        if (room) setTimeout(done, 5);
        else this.#socket.once("drain", done).once("close", done);
      });
    }
  }

  /** Waits until the peer closes the connection. */
  async closed() {
    while (!this.#gone) await this.#change();
  }

  /** Continues under TLS. */
  async secure(secureContext) {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const socket = new TLSSocket(plain, { isServer: true, secureContext });
    plain.on("close", () => socket.destroy());
    this.#listen(socket);
    await new Promise((done, failed) => {
      socket.once("secure", done).once("close", () => failed(new Gone()));
    });
  }

  /** Writes the rest, then closes. */
  end() {
    this.#socket.end();
  }

  cut() {
    this.#socket.destroy();
  }
}
