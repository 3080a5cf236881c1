// A demo of its own for each test: other ports, an empty folder. `test` comes from here.
import { test as base, expect } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Configurator } from "./configurator";

export type Mail = { subject: string; from: string; to: string; text: string; html: string; charset: string; raw: string; login: string };

export class Demo {
  constructor(readonly portal: string, readonly configurator: string, readonly folder: string, private log: () => string) {}

  async inbox(): Promise<Mail[]> {
    return (await fetch(`${this.portal}/inbox.json`)).json();
  }

  /** Everything on disk and in the logs, as one string of bytes. */
  everythingKept(): string {
    const files = readdirSync(this.folder).filter((name) => name.startsWith("facteur.db"));
    return files.map((name) => readFileSync(join(this.folder, name), "latin1")).join("\n") + this.log();
  }
}

async function start(): Promise<{ demo: Demo; process: ChildProcess }> {
  const folder = mkdtempSync(join(tmpdir(), "facteur-"));
  const zeros = ["--port", "0", "--portal-port", "0", "--starttls-port", "0", "--tls-port", "0", "--data", folder];
  const child = spawn("../target/debug/facteur", ["demo", ...zeros], { env: { ...process.env, FACTEUR_LOG: "debug,hyper=info" } });
  let output = "";
  child.stderr.on("data", (chunk) => (output += chunk));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output.includes("Ctrl+C")) resolve();
    });
    child.on("exit", (code) => reject(new Error(`facteur demo ended with ${code}: ${output}`)));
  });
  const address = (name: string) => new RegExp(`${name}\\s+(http://\\S+)`).exec(output)![1];
  return { demo: new Demo(address("Start here"), address("Configurator"), folder, () => output), process: child };
}

export const test = base.extend<{ demo: Demo; configurator: Configurator }>({
  demo: async ({}, use) => {
    const { demo, process } = await start();
    await use(demo);
    process.removeAllListeners("exit");
    process.kill();
    rmSync(demo.folder, { recursive: true, force: true });
  },
  configurator: async ({ page, demo, javaScriptEnabled }, use) => {
    await use(new Configurator(page, demo, javaScriptEnabled !== false));
  },
});

export { expect };
