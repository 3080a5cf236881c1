// One `facteur serve` with its portals: the good one with a relay, and the bad one, whose accounts have the worst mail
// servers. What the accounts need is entered as a person enters it, through the forms.
import { execFileSync, fork } from "node:child_process";
import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../load.mjs";
import { freePort, now, pause, start, stop } from "../processes.mjs";
import { KINDS, PASSWORD } from "./kinds.mjs";
import { Sink } from "./sink.mjs";

const ORIGIN = "http://localhost:4000";

/** A process of ours that takes orders and answers them. */
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

/** Where the bad servers are: each at an address of its own, so that no limit of one counts for another. */
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
  /** `connections`: the most of each bad account's, as its owner may set it. */
  static async build({ binary, folder, kinds, accounts, connections, newcomers, outbox }) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const world = new World();
    Object.assign(world, { binary, folder, outbox, sink: await Sink.start(), relay: await Sink.start() });
    world.bad = neighbours(kinds, accounts, await freePort());
    world.servers = servant("servers.mjs");
    await world.servers.order("listen", { servers: world.bad });
    await world.#configure(await freePort(), await freePort());
    await world.#serve();
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

  async #configure(port, metrics) {
    const run = (...args) => execFileSync(this.binary, args, { cwd: this.folder, encoding: "utf8", stdio: "pipe" });
    for (const name of ["vault.key", "portal.key"]) run("keys", "new", name);
    this.url = `http://127.0.0.1:${port}`;
    this.metrics = `http://127.0.0.1:${metrics}/metrics`;
    this.keys = {};
    const nobody = await freePort();
    const portals = Object.entries({ good: this.relay.port, bad: nobody }).map(([id, relay]) => {
      this.keys[id] = randomBytes(32).toString("base64url");
      return `
[[portal]]
id = "${id}"
name = "Demo"
origins = ["${ORIGIN}"]
keys = [{ id = "k1", secret_file = "portal.key" }]
api_keys = [{ id = "a1", sha256 = "${createHash("sha256").update(this.keys[id]).digest("hex")}" }]
[portal.relay]
host = "127.0.0.1"
port = ${relay}
security = "none"
sender_address = "no-reply@bench.example"
sender_name = "Demo"
`;
    });
    const hosts = ["127.0.0.1", ...this.bad.map(({ host }) => host)];
    writeFileSync(
      join(this.folder, "facteur.toml"),
      `[server]
public_url = "${this.url}"
listen = "127.0.0.1:${port}"
[metrics]
listen = "127.0.0.1:${metrics}"
[database]
path = "facteur.db"
[vault]
keys = [{ id = "v1", file = "vault.key" }]
[smtp]
ehlo_name = "facteur.example"
allow_networks = ["127.0.0.0/8"]
allow_ports = [${[this.sink.port, this.relay.port, nobody, ...new Set(this.bad.map(({ port }) => port))].join(", ")}]
plaintext_hosts = [${hosts.map((host) => `"${host}"`).join(", ")}]
[outbox]
${this.outbox}
${portals.join("")}`,
    );
    run("config", "check");
  }

  async #serve() {
    this.facteur = start(this.binary, ["serve"], { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"] });
    for (const began = now(); now() - began < 30_000 && this.facteur.exitCode === null; await pause(5)) {
      if ((await ask(`${this.url}/readyz`).catch(() => null))?.status === 200) return;
    }
    throw new Error(`facteur serve is not ready: ${this.facteur.said}`);
  }

  /** Somebody's session, with one profile. */
  async #account(portal, account, { host, port, security }, connections) {
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(Date.now() / 1000);
    const times = { iat: seconds, exp: seconds + 120, jti: randomUUID() };
    const who = { sub: "7", email: "somebody@bench.example", account: { id: account, name: account } };
    const claims = { iss: portal, aud: "facteur", ...times, ...who, page: "profiles" };
    const signed = `${encode({ alg: "HS256", kid: "k1" })}.${encode(claims)}`;
    const secret = readFileSync(join(this.folder, "portal.key"), "utf8").trimEnd();
    const token = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    const opened = await this.#form("/session", { token }, { origin: ORIGIN });
    const cookie = opened.headers["set-cookie"][0].split(";")[0];
    const headers = { cookie, origin: this.url, "sec-fetch-site": "same-origin" };
    const draft = { host, port, security, login: `${account}@bench.example`, sender_name: "Demo" };
    const fields = Object.fromEntries(Object.entries(draft).map(([name, value]) => [`draft[${name}]`, value]));
    const saved = await this.#form("/api/profiles/save", { id: "", ...fields, secret: PASSWORD }, headers);
    const id = /[?&]id=([0-9a-f-]{36})/.exec(saved.headers.location)?.[1];
    if (id === undefined) throw new Error(`the profile of ${account} was not saved: ${saved.headers.location}`);
    if (connections !== undefined)
      await this.#form("/api/profiles/sending", { id, "sending[max_connections]": connections }, headers);
    return { url: this.url, headers: this.#headers(headers), id, own: headers };
  }

  /** From now on the account's own server sends. */
  async #choose({ id, own }) {
    const chosen = await this.#form("/api/profiles/use", { id, mode: "own_smtp", anyway: "1" }, own);
    if (!chosen.headers.location.includes("mode=own_smtp")) throw new Error(`not in use: ${chosen.headers.location}`);
  }

  #headers = (headers) => ({ accept: "text/html", "content-type": "application/x-www-form-urlencoded", ...headers });

  async #form(path, fields, headers) {
    const body = new URLSearchParams(fields).toString();
    const answer = await ask(this.url + path, { method: "POST", headers: this.#headers(headers), body });
    if (answer.status !== 303) throw new Error(`${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer;
  }

  #portal = () => ({ url: this.url, key: this.keys.bad });

  /** Gives the bad accounts so many messages each, while all of them wait for a relay that is away. */
  fill(each) {
    const accounts = this.bad.map(({ account }) => account);
    return this.servers.order("fill", { portal: this.#portal(), accounts, each });
  }

  /** Lets them loose: all that waits is sent through their own servers from now on, and more comes. */
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
    await stop(this.facteur);
    this.servers.child.disconnect();
    this.sink.close();
    this.relay.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
