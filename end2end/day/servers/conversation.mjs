// One conversation of a mail server according to RFC 5321, with optional STARTTLS, AUTH, PIPELINING and CHUNKING. At
// each step the server's behaviour may replace the answer.
import { randomBytes } from "node:crypto";

import { sleep } from "../machine.mjs";
import { Gone, Wire } from "./wire.mjs";

/** Ends the conversation on purpose. */
class Over extends Error {}

/** The message of an address: the day's addresses are `m17.a@…`. */
export const messageOf = (address) => address.split("@")[0].split(".")[0].toLowerCase();

const decoded = (text) => Buffer.from(text, "base64").toString("utf8");

export class Conversation {
  #server;
  #wire;
  #entry;
  #replies = 0;
  #secure = false;
  #login = null;
  #mail = null;

  constructor(server, socket, entry) {
    this.#server = server;
    this.#wire = new Wire(socket);
    this.#entry = entry;
  }

  async run() {
    try {
      if (this.#server.security === "tls") await this.#handshake();
      await this.#do("greeting", {}, `220 ${this.#server.name}.example ESMTP`);
      for (;;) await this.#command(await this.#wire.line());
    } catch (error) {
      if (!(error instanceof Gone || error instanceof Over)) throw error;
    }
    this.#wire.end();
  }

  async #command(line) {
    const verb = line.split(/[ :]/)[0].toUpperCase();
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#hello(verb);
      case "STARTTLS":
        return this.#starttls();
      case "AUTH":
        return this.#auth(line);
      case "MAIL":
        return this.#sender(line);
      case "RCPT":
        return this.#recipient(line);
      case "DATA":
        return this.#data();
      case "BDAT":
        return this.#chunk(line);
      case "RSET":
        this.#mail = null;
        return this.#say("250 2.0.0 Ok");
      case "NOOP":
        return this.#say("250 2.0.0 Ok");
      case "QUIT":
        await this.#say("221 2.0.0 Bye");
        throw new Over();
      default:
        return this.#say("500 5.5.2 What?");
    }
  }

  async #say(reply) {
    const delay = this.#server.delay(this.#entry.number, this.#replies++);
    if (delay) await sleep(delay);
    if (!this.#wire.write(`${reply}\r\n`)) throw new Gone();
  }

  /** A step: the behaviour's answer, or else the good reply. True if it was the good one. */
  async #do(step, facts, good) {
    return this.#act(this.#ask(step, facts), good);
  }

  #ask(step, facts) {
    this.#server.emit("step", step);
    return this.#server.behaviour(step, { conversation: this.#entry.number, ...facts }) ?? {};
  }

  async #act({ reply, bye, cut, silent, endless }, good) {
    if (cut) this.#wire.cut();
    if (silent) await this.#wire.closed();
    if (endless) await this.#wire.endless(endless);
    if (cut || silent || endless) throw new Over();
    if (reply ?? good) await this.#say(reply ?? good);
    if (bye) throw new Over();
    return !reply;
  }

  async #hello(verb) {
    const { name, security, mechanisms, pipelining, chunking, login } = this.#server;
    const lines = [`${name}.example`];
    if (verb === "EHLO") {
      lines.push("SIZE 20000000", "8BITMIME", "ENHANCEDSTATUSCODES");
      if (pipelining) lines.push("PIPELINING");
      if (chunking) lines.push("CHUNKING");
      if (security === "starttls" && !this.#secure) lines.push("STARTTLS");
      else if (login) lines.push(`AUTH ${mechanisms.join(" ")}`);
    }
    this.#mail = null;
    await this.#do("hello", {}, lines.map((line, at) => `250${at + 1 < lines.length ? "-" : " "}${line}`).join("\r\n"));
  }

  async #starttls() {
    if (this.#server.security !== "starttls" || this.#secure) return this.#say("503 5.5.1 No TLS here, or there already");
    await this.#say("220 2.0.0 Go ahead");
    await this.#handshake();
  }

  async #handshake() {
    await this.#wire.secure(this.#server.secureContext);
    this.#secure = true;
  }

  async #auth(line) {
    const { security, mechanisms, login, secret } = this.#server;
    const [, mechanism = "", initial] = line.split(" ");
    if (security !== "none" && !this.#secure) return this.#say("530 5.7.0 TLS first");
    if (!login || !mechanisms.includes(mechanism.toUpperCase())) return this.#say("504 5.5.4 Not this one");
    let given;
    if (mechanism.toUpperCase() === "PLAIN") {
      given = decoded(initial ?? (await this.#challenge(""))).split("\0").slice(1);
    } else {
      given = [decoded(initial ?? (await this.#challenge("Username:"))), decoded(await this.#challenge("Password:"))];
    }
    const right = given[0] === login && given[1] === secret;
    this.#server.logins.push({ at: Date.now(), right });
    const well = await this.#do("auth", {}, right ? "235 2.7.0 Welcome" : "535 5.7.8 Username and password not accepted");
    if (right && well) this.#login = login;
  }

  async #challenge(text) {
    await this.#say(`334 ${Buffer.from(text).toString("base64")}`);
    return this.#wire.line();
  }

  async #sender(line) {
    const address = /^MAIL FROM:<([^>]*)>/i.exec(line)?.[1];
    if (address === undefined) return this.#say("501 5.5.4 MAIL FROM:<address>");
    if (this.#server.login && !this.#login) return this.#say("530 5.7.0 Authentication required");
    if (this.#mail) return this.#say("503 5.5.1 One at a time");
    if (!(await this.#do("mail", {}, "250 2.1.0 Ok"))) return;
    this.#mail = { at: Date.now(), conversation: this.#entry.number, from: address, to: [], refused: [], reached: "mail" };
    Object.assign(this.#mail, { parts: [], kept: false, answered: null, answeredAt: null });
    this.#server.transactions.push(this.#mail);
  }

  async #recipient(line) {
    const address = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1];
    if (address === undefined) return this.#say("501 5.5.4 RCPT TO:<address>");
    if (!this.#mail) return this.#say("503 5.5.1 MAIL first");
    const facts = { recipient: address, message: messageOf(address), visit: this.#server.visit("rcpt", address) };
    const action = this.#ask("rcpt", facts);
    // Recorded before the answer: an accepted recipient is in the record in any case.
    (action.reply || action.cut ? this.#mail.refused : this.#mail.to).push(address.toLowerCase());
    await this.#act(action, "250 2.1.5 Ok");
  }

  /** The current message, and how often it reached this step before. */
  get #facts() {
    const message = messageOf(this.#mail.to[0]);
    const before = (one) => one !== this.#mail && one.reached !== "mail" && messageOf(one.to[0]) === message;
    return { message, visit: this.#server.transactions.filter(before).length };
  }

  async #data() {
    if (!this.#mail?.to.length) return this.#say("554 5.5.1 No valid recipients");
    this.#mail.reached = "data";
    if (!(await this.#do("data", this.#facts, "354 End with a dot"))) return void (this.#mail = null);
    await this.#body();
    this.#mail.parts.push(await this.#wire.upToDot());
    await this.#whole();
  }

  async #chunk(line) {
    const [, length, last] = /^BDAT (\d+)( LAST)?$/i.exec(line) ?? [];
    if (!this.#server.chunking || length === undefined) return this.#say("501 5.5.4 BDAT length [LAST]");
    if (!this.#mail?.to.length) {
      // The bytes follow regardless of our reply (RFC 3030 §2).
      await this.#wire.bytes(Number(length));
      return this.#say("503 5.5.1 No valid recipients");
    }
    this.#mail.reached = "data";
    if (Number(length)) await this.#body();
    this.#mail.parts.push(await this.#wire.bytes(Number(length)));
    if (last) return this.#whole();
    await this.#say("250 2.0.0 More");
  }

  /** The first bytes of a message have arrived. */
  async #body() {
    await this.#wire.first();
    await this.#act(this.#ask("body", this.#facts));
  }

  /** The whole message has arrived. */
  async #whole() {
    const mail = this.#mail;
    const action = this.#ask("message", this.#facts);
    mail.reached = "dot";
    mail.dotAt = Date.now();
    mail.raw = Buffer.concat(mail.parts);
    // The server owns the message before it replies: a client that crashes during the reply has sent it.
    mail.kept = action.keep ?? !(action.reply || action.cut || action.silent || action.endless);
    mail.id = randomBytes(6).toString("hex").toUpperCase();
    this.#mail = null;
    const good = `250 2.0.0 Ok: queued as ${mail.id}`;
    await this.#act(action, good);
    mail.answered = Number((action.reply ?? good).slice(0, 3));
    mail.answeredAt = Date.now();
    this.#server.emit("step", "answered");
  }
}
