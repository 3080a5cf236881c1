// A separate demo for each test: other ports, an empty folder, an empty database. `test` is exported here.
import { test as base, expect } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Postgres } from "../postgres.mjs";
import { Configurator } from "./configurator";

export type Mail = { subject: string; from: string; to: string; text: string; html: string; charset: string; raw: string; login: string };

export class Demo {
  constructor(readonly portal: string, readonly configurator: string, readonly folder: string, private log: () => string, private dump?: () => string) {}

  async inbox(): Promise<Mail[]> {
    return (await fetch(`${this.portal}/inbox.json`)).json();
  }

  /** Everything in the database and in the logs, as one string of bytes. */
  everythingKept(): string {
    if (this.dump) return this.dump() + this.log();
    const files = readdirSync(this.folder).filter((name) => name.startsWith("facteur.db"));
    return files.map((name) => readFileSync(join(this.folder, name), "latin1")).join("\n") + this.log();
  }
}

/** Databases that this process has made. */
let databases = 0;

/** How long a demo may take to end after SIGTERM. Its own limit for messages being sent is 5 s. */
const END_MS = 30_000;

/** A demo that runs, and the way to end it. */
class Running {
  #output = "";
  /** Resolves when the process has exited and its output was read to the end. */
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(readonly folder: string, private child: ChildProcess) {
    child.stdout!.on("data", (chunk) => (this.#output += chunk));
    child.stderr!.on("data", (chunk) => (this.#output += chunk));
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    // A failure reaches those who await the promise; there may be none yet.
    this.#ended.catch(() => {});
  }

  output = () => this.#output;

  /** Waits until it has printed its addresses. */
  async ready() {
    const printed = new Promise<void>((resolve) => {
      const look = () => this.#output.includes("Ctrl+C") && resolve();
      this.child.stdout!.on("data", look);
      look();
    });
    const gone = this.#ended.then(({ code, signal }) => {
      throw new Error(`facteur demo ended with ${code ?? signal}: ${this.#output}`);
    });
    await Promise.race([printed, gone]);
  }

  /** Ends the process, and only then removes its folder: until it has exited it may still write there. */
  async end() {
    this.child.kill("SIGTERM");
    const late = setTimeout(() => this.child.kill("SIGKILL"), END_MS);
    const { code, signal } = await this.#ended.finally(() => clearTimeout(late));
    rmSync(this.folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`facteur demo ended with ${code ?? signal} after SIGTERM: ${this.#output}`);
  }
}

/** Starts a demo. `postgres`: in a new database there, instead of SQLite. */
async function start(postgres?: Postgres): Promise<{ demo: Demo; end: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "facteur-"));
  const zeros = ["--port", "0", "--portal-port", "0", "--provider-port", "0", "--starttls-port", "0", "--tls-port", "0", "--data", folder];
  const database = `demo_${++databases}`;
  if (postgres) {
    postgres.sql(`CREATE DATABASE ${database}`);
    zeros.push("--database", postgres.url(database));
  }
  const child = spawn("../target/debug/facteur", ["demo", ...zeros], { env: { ...process.env, FACTEUR_LOG: "debug,hyper=info" } });
  const running = new Running(folder, child);
  try {
    await running.ready();
  } catch (error) {
    await running.end().catch(() => {});
    throw error;
  }
  const address = (name: string) => new RegExp(`${name}\\s+(http://\\S+)`).exec(running.output())![1];
  const dump = postgres && (() => postgres.dump(database));
  const demo = new Demo(address("Start here"), address("Configurator"), folder, running.output, dump);
  const end = async () => {
    await running.end();
    postgres?.sql(`DROP DATABASE ${database}`);
  };
  return { demo, end };
}

/** Which database a project's demos use. */
export type Databases = { database: "sqlite" | "postgres" };

export const test = base.extend<{ demo: Demo; configurator: Configurator }, Databases & { postgres: Postgres | undefined }>({
  database: ["sqlite", { option: true, scope: "worker" }],
  postgres: [
    async ({ database }, use) => {
      const postgres = database === "postgres" ? await Postgres.start() : undefined;
      await use(postgres);
      await postgres?.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  demo: async ({ postgres }, use) => {
    const { demo, end } = await start(postgres);
    await use(demo);
    await end();
  },
  configurator: async ({ page, demo, javaScriptEnabled }, use) => {
    await use(new Configurator(page, demo, javaScriptEnabled !== false));
  },
});

export { expect };
