// The program itself: its files, its start, its end.
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { OTHER_PORTAL, PORTAL } from "./accounts.mjs";
import { ask } from "./ask.mjs";
import { contention, freePort, sleep, until } from "./machine.mjs";

/** How long messages are tried, in seconds, with one process and with several: what a killed replica held is free after
 * 30 s. If other programs take most of the processor, everything takes longer. */
export const GIVE_UP_SECONDS = { one: Math.round(40 * contention()), several: Math.round(150 * contention()) };
/** Connections to one mail server, over all replicas together. */
export const CONNECTIONS = 2;

const relay = ({ server, login, sender }) => `[portal.relay]
host = "127.0.0.1"
port = ${server.port}
security = "none"
${login ? `login = "${login}"\nsecret_file = "relay.key"` : ""}
sender_address = "${sender.address}"
sender_name = "${sender.name}"`;

/** Writes the files that each `facteur serve` needs into `folder`, and returns what the portals need to know.
 * `databases`: the section of each replica. Several replicas have a balancer in front of them. */
export async function configure(binary, folder, accounts, hook, databases) {
  const file = (name, text) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  const several = databases.length > 1;
  const replicas = [];
  for (const database of databases) {
    const config = several ? `facteur-${replicas.length + 1}.toml` : "facteur.toml";
    replicas.push({ config, database, port: await freePort(), metrics: await freePort() });
  }
  const port = several ? await freePort() : replicas[0].port;
  const url = `http://127.0.0.1:${port}`;
  const portals = [PORTAL, OTHER_PORTAL].map((id) => {
    const portal = { id, url, origin: `http://${id}.localhost:4000`, apiKey: `key-${randomBytes(24).toString("hex")}` };
    portal.secret = randomBytes(32).toString("base64");
    file(`${id}.key`, `${portal.secret}\n`);
    const hash = createHash("sha256").update(portal.apiKey).digest("hex");
    const behind = accounts.find((account) => account.portal === id && account.mode === "portal");
    portal.section = `[[portal]]
id = "${id}"
name = "Portal ${id}"
origins = ["${portal.origin}"]
keys = [{ id = "k1", secret_file = "${id}.key" }]
api_keys = [{ id = "a1", sha256 = "${hash}" }]
${relay(behind)}`;
    return portal;
  });
  const [{ section }, other] = portals;
  file("relay.key", `${accounts.find(({ portal, mode }) => portal === PORTAL && mode === "portal").secret}\n`);
  hook.secrets.forEach((secret, at) => file(`webhook-${at}.key`, `${secret}\n`));
  execFileSync(binary, ["keys", "new", join(folder, "vault.key")], { stdio: "pipe" });
  for (const { config, port, metrics, database } of replicas) {
    file(
      config,
      `[server]
public_url = "${url}"
listen = "127.0.0.1:${port}"
[database]
${database}
[vault]
keys = [{ id = "v1", file = "vault.key" }]
[smtp]
ehlo_name = "facteur.example"
ca_file = "ca.pem"
allow_networks = ["127.0.0.0/8"]
allow_ports = [${accounts.map(({ server }) => server.port).join(", ")}]
plaintext_hosts = ["127.0.0.1"]
[outbox]
first_retry_seconds = 1
longest_retry_seconds = 3
give_up_after_hours = ${((several ? GIVE_UP_SECONDS.several : GIVE_UP_SECONDS.one) / 3600).toFixed(5)}
connections = ${CONNECTIONS}
lease_seconds = 2
reply_seconds = 3
final_seconds = 3
[metrics]
listen = "127.0.0.1:${metrics}"
${section}
[portal.webhook]
url = "http://127.0.0.1:${hook.port}/hook"
secret_files = [${hook.secrets.map((_, at) => `"webhook-${at}.key"`).join(", ")}]
${other.section}
`,
    );
    // The check opens the database, whose link is in this process.
    await promisify(execFile)(binary, ["config", "check", "--config", join(folder, config)]);
  }
  return { url, port, replicas, portals };
}

/** A `facteur serve` that is started again and again. */
export class Facteur {
  /** `{ at, ended, signal, moment }` of each stop or kill, in milliseconds. */
  ends = [];
  /** What went wrong with the program itself. */
  faults = [];

  #child = null;

  /** `replica`: as `configure` describes it. */
  constructor(binary, folder, { config, port }) {
    const log = join(folder, config.replace(/toml$/, "log"));
    Object.assign(this, { binary, folder, url: `http://127.0.0.1:${port}`, config: join(folder, config), log });
  }

  /** Exclusive access for ending it, until the returned function is called. */
  async turn() {
    return () => {};
  }

  /** Starts it; it need not be ready yet. */
  launch() {
    const log = openSync(this.log, "a");
    const args = ["serve", "--config", this.config];
    const child = spawn(this.binary, args, { cwd: this.folder, stdio: ["ignore", log, log] });
    const ended = new Promise((done) => child.once("exit", (code, signal) => done({ code, signal })));
    const mine = { child, ended, wanted: false };
    this.#child = mine;
    void ended.then(({ code, signal }) => {
      if (!mine.wanted) this.faults.push(`it ended by itself: ${signal ?? `exit code ${code}`}`);
    });
  }

  async ready(seconds = 30) {
    const answers = () => ask("GET", `${this.url}/healthz`).then(({ status }) => status === 200, () => false);
    if (await until(answers, seconds)) return;
    throw new Error(`it does not answer: ${this.words()}`);
  }

  /** Ends it with a signal and waits until it has exited. A SIGTERM that takes too long is a fault. */
  async end(signal, moment = "") {
    const { child, ended } = this.#child;
    this.#child.wanted = true;
    const end = { at: Date.now(), signal, moment };
    this.ends.push(end);
    child.kill(signal);
    const gone = await Promise.race([ended, sleep(45_000)]);
    if (!gone) {
      this.faults.push(`45 s after ${signal} it still runs`);
      this.ends.push({ ...end, at: Date.now(), signal: "SIGKILL" });
      child.kill("SIGKILL");
      await ended;
    } else if (signal === "SIGTERM" && gone.code !== 0) {
      this.faults.push(`SIGTERM ended it with ${gone.signal ?? `exit code ${gone.code}`}`);
    }
    this.ends.forEach((one) => (one.ended ??= Date.now()));
  }

  /** Pauses it. */
  freeze() {
    this.#child.child.kill("SIGSTOP");
  }

  thaw() {
    this.#child.child.kill("SIGCONT");
  }

  /** Whether it runs. */
  get alive() {
    return this.#child !== null && this.#child.child.exitCode === null && this.#child.child.signalCode === null;
  }

  /** Kills it in any case, so that no process is left behind. */
  abandon() {
    if (this.alive) this.#child.child.kill("SIGKILL");
  }

  /** All of its output. */
  words() {
    return readFileSync(this.log, "utf8").replaceAll(/\x1b\[\d*m/g, "");
  }
}
