// One `facteur serve` with its portals: the good one with a relay, and the bad one, whose accounts have the worst mail
// servers. The accounts are set up through the forms, as by a person.
import { fork } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { FORM, prepare } from "../facteur.mjs";
import { ask } from "../load.mjs";
import { freePort } from "../processes.mjs";
import { KINDS, PASSWORD } from "./kinds.mjs";
import { Sink } from "./sink.mjs";

/** A child process that receives orders and answers them. */
function servant(path) {
  const child = fork(new URL(path, import.meta.url));
  const waiting = new Map();
  let next = 0;
  child.on("message", ({ id, answer, error }) => {
    const { done, failed } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) done(answer);
    else failed(new Error(error));
  });
  child.on("exit", (code) => waiting.forEach(({ failed }) => failed(new Error(`${path} ended: ${code}`))));
  const order = (order, what = {}) =>
    new Promise((done, failed) => {
      waiting.set(next, { done, failed });
      child.send({ id: next++, order, ...what });
    });
  return { child, order };
}

/** The bad servers' addresses: a different one for each, so that no limit is shared. */
function neighbours(kinds, count, port) {
  const at = (i) => `127.1.${Math.floor(i / 250)}.${1 + (i % 250)}`;
  return Array.from({ length: count }, (_, i) => ({
    account: `bad-${i}`,
    kind: kinds[i % kinds.length],
    host: at(i),
    port,
  }));
}

export class World {
  /** `connections`: the limit of each bad account, as its owner can set it. */
  static async build({ binary, folder, kinds, accounts, connections, newcomers, outbox }) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const world = new World();
    Object.assign(world, { binary, folder, outbox, sink: await Sink.start(), relay: await Sink.start() });
    world.bad = neighbours(kinds, accounts, await freePort());
    world.servers = servant("servers.mjs");
    await world.servers.order("listen", { servers: world.bad });
    await world.#prepare();
    await world.facteur.start();
    const own = { host: "127.0.0.1", port: world.sink.port, security: "none" };
    await world.#choose(await world.#account("good", "own", own));
    await world.#choose(await world.#account("good", "single", own, 1));
    for (let i = 0; i < newcomers; i++) await world.#choose(await world.#account("good", `new-${i}`, own));
    world.visits = [];
    for (const { account, host, port, kind } of world.bad) {
      const security = KINDS[kind].security ?? "none";
      world.visits.push(await world.#account("bad", account, { host, port, security }, connections));
    }
    return world;
  }

  async #prepare() {
    const { binary, folder, relay, sink, bad, outbox } = this;
    const metrics = await freePort();
    this.metrics = `http://127.0.0.1:${metrics}/metrics`;
    this.facteur = await prepare({
      binary,
      folder,
      relays: { good: relay.port, bad: await freePort() },
      ports: [sink.port, ...new Set(bad.map(({ port }) => port))],
      hosts: bad.map(({ host }) => host),
      more: `[metrics]\nlisten = "127.0.0.1:${metrics}"\n[outbox]\n${outbox}\n`,
    });
  }

  /** An account's session, with one profile. */
  async #account(portal, account, { host, port, security }, connections) {
    const own = await this.facteur.visit(portal, account);
    const draft = { host, port, security, login: `${account}@bench.example`, sender_name: "Demo" };
    const fields = Object.fromEntries(Object.entries(draft).map(([name, value]) => [`draft[${name}]`, value]));
    const saved = await this.facteur.form("/api/profiles/save", { id: "", ...fields, secret: PASSWORD }, own);
    const id = /[?&]id=([0-9a-f-]{36})/.exec(saved.headers.location)?.[1];
    if (id === undefined) throw new Error(`the profile of ${account} was not saved: ${saved.headers.location}`);
    if (connections !== undefined)
      await this.facteur.form("/api/profiles/sending", { id, "sending[max_connections]": connections }, own);
    return { url: this.facteur.url, headers: { ...FORM, ...own }, id, own };
  }

  /** From now on the account's own server sends. */
  async #choose({ id, own }) {
    const chosen = await this.facteur.form("/api/profiles/use", { id, mode: "own_smtp", anyway: "1" }, own);
    if (!chosen.headers.location.includes("mode=own_smtp")) throw new Error(`not in use: ${chosen.headers.location}`);
  }

  #portal = () => ({ url: this.facteur.url, key: this.facteur.apiKeys.bad });

  /** Posts `each` messages for every bad account, which all wait for an unreachable relay. */
  fill(each) {
    const accounts = this.bad.map(({ account }) => account);
    return this.servers.order("fill", { portal: this.#portal(), accounts, each });
  }

  /** Starts them: from now on, the waiting messages are sent through their own servers, and more are posted. */
  async loose({ rate, tests }) {
    const accounts = this.bad.map(({ account }) => account);
    await Promise.all(this.visits.map((visit) => this.#choose(visit)));
    await this.servers.order("post", { portal: this.#portal(), accounts, rate });
    if (tests) await this.servers.order("test", { visits: this.visits });
  }

  /** Connections to mail servers that are in use now. */
  async conversations() {
    const { text } = await ask(this.metrics).catch(() => ({ text: "" }));
    return Number(/^facteur_smtp_connections\{state="active"\} (\d+)/m.exec(text)?.[1]);
  }

  async end() {
    await this.servers.order("stop").catch(() => {});
    await this.facteur.stop();
    this.servers.child.disconnect();
    this.sink.close();
    this.relay.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
