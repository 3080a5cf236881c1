// `facteur serve`, as a portal uses it: an API key, a relay of the portal, and the session of a user who configures.
import { execFileSync } from "node:child_process";
import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, closedLoop } from "./load.mjs";
import { message } from "./message.mjs";
import { freePort, kill, now, pause, start, stop } from "./processes.mjs";

const ORIGIN = "http://localhost:4000";
/** The headers that a browser sends with a form. */
export const FORM = { accept: "text/html", "content-type": "application/x-www-form-urlencoded" };
const ACCOUNTS = 50; // a portal sends for many shops

/**
 * `relays` is a port for each portal's name, `ports` and `hosts` belong to other mail servers. The folder is on the
 * checkout's disk: /tmp is memory on some machines. `database` is the content of that section, `more` are further
 * sections.
 */
export async function prepare({ binary, folder, relays, connections, ports = [], hosts = [], database, more = "" }) {
  mkdirSync(folder, { recursive: true });
  const run = (...args) => execFileSync(binary, args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
  for (const name of ["vault.key", "portal.key"]) run("keys", "new", name);
  const port = await freePort();
  const apiKeys = {};
  const portals = Object.entries(relays).map(([id, relay]) => {
    apiKeys[id] = randomBytes(32).toString("base64url");
    return `
[[portal]]
id = "${id}"
name = "Demo"
origins = ["${ORIGIN}"]
keys = [{ id = "k1", secret_file = "portal.key" }]
api_keys = [{ id = "a1", sha256 = "${createHash("sha256").update(apiKeys[id]).digest("hex")}" }]
[portal.relay]
host = "127.0.0.1"
port = ${relay}
security = "none"
sender_address = "no-reply@bench.example"
sender_name = "Demo"
${connections === undefined ? "" : `connections = ${connections}`}
`;
  });
  writeFileSync(
    join(folder, "facteur.toml"),
    `[server]
public_url = "http://127.0.0.1:${port}"
listen = "127.0.0.1:${port}"
[database]
${database ?? 'path = "facteur.db"'}
[vault]
keys = [{ id = "v1", file = "vault.key" }]
[smtp]
ehlo_name = "facteur.example"
allow_networks = ["127.0.0.0/8"]
allow_ports = [${[...Object.values(relays), ...ports].join(", ")}]
plaintext_hosts = [${["127.0.0.1", ...hosts].map((host) => `"${host}"`).join(", ")}]
${more}
${portals.join("")}`,
  );
  run("config", "check");
  return new Facteur({ binary, folder, port, apiKeys });
}

class Facteur {
  constructor(parts) {
    Object.assign(this, parts);
    this.url = `http://127.0.0.1:${this.port}`;
    this.given = 0;
  }

  /** Starts it, with settings in `env`; returns how long it took until it was ready, in milliseconds. */
  async start({ env = {}, patience = 30_000 } = {}) {
    const began = now();
    const options = { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } };
    this.child = start(this.binary, ["serve"], options);
    while (now() - began < patience && this.child.exitCode === null) {
      const answer = await ask(`${this.url}/readyz`).catch(() => null);
      if (answer?.status === 200) return now() - began;
      await pause(1);
    }
    throw new Error(`facteur serve is not ready: ${this.child.said}`);
  }

  stop = () => stop(this.child);

  /** Ends it like a crash. */
  crash = () => kill(this.child);

  /** Posts `count` messages, `concurrency` at a time. */
  async give(portal, { count, concurrency, seconds }) {
    const make = () => {
      const i = this.given++;
      const body = JSON.stringify({ account: `shop-${i % ACCOUNTS}`, ...message(i) });
      const headers = {
        authorization: `Bearer ${this.apiKeys[portal]}`,
        "content-type": "application/json",
        "idempotency-key": randomUUID(), // every portal should use one, so it is part of the cost
      };
      return [`${this.url}/api/v1/messages`, { method: "POST", headers, body }];
    };
    const load = await closedLoop({ concurrency, count, seconds, status: 202, keep: true, make });
    return { ...load, ids: load.answers.map((text) => JSON.parse(text).id) };
  }

  /** Requests messages by their ids. */
  look(portal, ids, { count, concurrency, seconds }) {
    const headers = { authorization: `Bearer ${this.apiKeys[portal]}` };
    const make = (i) => [`${this.url}/api/v1/messages/${ids[i % ids.length]}`, { headers }];
    return closedLoop({ concurrency, count, seconds, make });
  }

  /** How many of a portal's messages are in each state, by asking the API for every account. */
  async states(portal) {
    const headers = { authorization: `Bearer ${this.apiKeys[portal]}` };
    const states = {};
    for (let account = 0; account < ACCOUNTS; account++) {
      for (let before = ""; before !== null;) {
        const page = `account=shop-${account}&limit=100${before && `&before=${before}`}`;
        const answer = JSON.parse((await ask(`${this.url}/api/v1/messages?${page}`, { headers })).text);
        for (const { state } of answer.messages) states[state] = (states[state] ?? 0) + 1;
        before = answer.next;
      }
    }
    return states;
  }

  /** A user's session, with some profiles to list, each with its own `fields`. Returns the headers of its requests. */
  async session(portal, profiles, { account = "listed", fields = {} } = {}) {
    const own = await this.visit(portal, account);
    await this.form("/api/sending-mode/save", { mode: "own_smtp" }, own);
    for (let i = 0; i < profiles; i++) await this.form("/api/profiles/save", { ...profile(i), ...fields }, own);
    return { cookie: own.cookie, accept: "text/html" };
  }

  /** Opens a session as a portal does. Returns the headers of a form's requests. */
  async visit(portal, account) {
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const seconds = Math.floor(Date.now() / 1000);
    const times = { iat: seconds, exp: seconds + 120, jti: randomUUID() };
    const who = { sub: "7", email: "somebody@bench.example", account: { id: account, name: account } };
    const claims = { iss: portal, aud: "facteur", ...times, ...who, page: "profiles" };
    const signed = `${encode({ alg: "HS256", kid: "k1" })}.${encode(claims)}`;
    const secret = readFileSync(join(this.folder, "portal.key"), "utf8").trimEnd();
    const token = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    const opened = await this.form("/session", { token }, { origin: ORIGIN });
    const cookie = opened.headers["set-cookie"][0].split(";")[0];
    return { cookie, origin: this.url, "sec-fetch-site": "same-origin" };
  }

  /** Submits a form like a browser, up to the page that it redirects to. */
  async form(path, fields, headers) {
    const body = new URLSearchParams(fields).toString();
    const answer = await ask(this.url + path, { method: "POST", headers: { ...FORM, ...headers }, body });
    if (answer.status !== 303) throw new Error(`${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer;
  }
}

const profile = (i) => ({
  id: "",
  "draft[preset]": "",
  "draft[host]": `smtp${i}.bench.example`,
  "draft[port]": "465",
  "draft[security]": "tls",
  "draft[user]": "",
  "draft[login]": `user${i}@bench.example`,
  "draft[sender_name]": "Demo",
  "draft[sender_address]": "",
  "draft[reply_to]": "",
  secret: "abcdefghijklmnop",
});
