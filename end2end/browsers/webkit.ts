// WebKit (WebKitGTK's MiniBrowser) over plain WebDriver.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { expect } from "../tests/demo";
import type { Driver, Source } from "./driver";

const FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/libexec"].flatMap((folder) =>
  ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map((name) => `${folder}/${name}/MiniBrowser`));
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
type Element = Record<string, string>;

/** One browser. */
export class WebKit implements Driver {
  #frame: Element | undefined;

  private constructor(private driver: ChildProcess, private address: string, private session: string) {}

  static async launch(): Promise<WebKit> {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });
    const driver = spawn("WebKitWebDriver", [`--port=${port}`], { stdio: "ignore" });
    const address = `http://127.0.0.1:${port}`;
    const options = { binary: process.env.MINIBROWSER || FOLDERS.find((path) => existsSync(path)), args: ["--automation"] };
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options } };
    for (let tries = 0; ; tries++) {
      try {
        const { sessionId } = await ask(`${address}/session`, "POST", { capabilities });
        return new WebKit(driver, address, sessionId);
      } catch (error) {
        // The driver may not listen yet.
        if (tries > 50 || !(error instanceof TypeError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async close() {
    await this.send("DELETE", "").catch(() => {});
    this.driver.kill();
  }

  send = (method: string, path: string, body?: unknown) => ask(`${this.address}/session/${this.session}${path}`, method, body);
  go = (url: string) => this.send("POST", "/url", { url });
  url = (): Promise<string> => this.send("GET", "/url");
  windows = (): Promise<string[]> => this.send("GET", "/window/handles");
  window = (handle: string) => this.send("POST", "/window", { handle });
  resize = (width: number, height: number) => this.send("POST", "/window/rect", { width, height });
  perform = (actions: Source[]) => this.send("POST", "/actions", { actions });

  async enter() {
    const find = () => document.querySelector("smtp-configurator")?.shadowRoot?.querySelector("iframe");
    await expect.poll(() => this.run(find), "the frame").toBeTruthy();
    this.#frame = (await this.run(find)) as unknown as Element;
    await this.send("POST", "/frame", { id: this.#frame });
  }

  async inWindow(press: () => Promise<unknown>, act: (window: Driver) => Promise<unknown>) {
    const [here, before, frame] = [await this.send("GET", "/window"), await this.windows(), this.#frame];
    await press();
    await expect.poll(async () => (await this.windows()).length).toBe(before.length + 1);
    await this.window((await this.windows()).find((handle) => !before.includes(handle))!);
    this.#frame = undefined;
    await act(this);
    await this.send("DELETE", "/window");
    await this.window(here);
    this.#frame = frame;
    if (frame) await this.send("POST", "/frame", { id: frame });
  }

  async around<A extends unknown[], T>(what: (...given: A) => T, ...given: A): Promise<Awaited<T> | undefined> {
    if (!this.#frame) return;
    await this.send("POST", "/frame", { id: null });
    try {
      return await this.run(what, ...given);
    } finally {
      await this.send("POST", "/frame", { id: this.#frame });
    }
  }

  run<A extends unknown[], T>(what: (...given: A) => T, ...given: A): Promise<Awaited<T>> {
    return this.send("POST", "/execute/sync", { script: `return (${what})(...arguments)`, args: given });
  }

  origin<A extends unknown[]>(find: (...given: A) => globalThis.Element | undefined, ...given: A) {
    return this.run(find, ...given).then((element) => (element as unknown as Element | null) ?? undefined);
  }
}

async function ask(url: string, method: string, body?: unknown) {
  const answer = await fetch(url, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${url}: ${JSON.stringify(value).slice(0, 300)}`);
  return value;
}
