// WebKit (WebKitGTK's MiniBrowser), over plain WebDriver: the demo in clear, the tab where cookies are refused, the form.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { test as base, expect } from "../tests/demo";

const FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/libexec"].flatMap((folder) =>
  ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map((name) => `${folder}/${name}/MiniBrowser`));
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
type Element = Record<string, string>;

/** One browser. */
class WebKit {
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
  enter = (handle: string) => this.send("POST", "/window", { handle });
  run = (script: string) => this.send("POST", "/execute/sync", { script, args: [] });
  frame = (element: Element) => this.send("POST", "/frame", { id: element });
  click = (element: Element) => this.send("POST", `/element/${element[ELEMENT]}/click`, {});
  find = (css: string): Promise<Element> => this.send("POST", "/element", { using: "css selector", value: css });
  heading = (): Promise<string> => this.run("return document.querySelector('h1')?.textContent ?? ''");
}

async function ask(url: string, method: string, body?: unknown) {
  const answer = await fetch(url, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${url}: ${JSON.stringify(value).slice(0, 300)}`);
  return value;
}

const test = base.extend<{ webkit: WebKit }>({
  webkit: async ({}, use) => {
    const webkit = await WebKit.launch();
    await use(webkit);
    await webkit.close();
  },
});

test("over plain HTTP on this machine the configurator opens in a page", async ({ demo, webkit }) => {
  await webkit.go(`${demo.portal}/boulangerie-martin/open/profiles?lang=fr`);
  await expect.poll(webkit.url).toBe(`${demo.configurator}/profiles`);
  await expect.poll(webkit.heading).toBe("Profils SMTP");
  await webkit.click(await webkit.find(".empty a[href='/profiles/new']"));
  await expect.poll(webkit.url).toContain("/profiles/new");
});

test("where the frame's cookie is refused, a press opens a tab", async ({ demo, webkit }) => {
  await webkit.go(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  const said = () => webkit.run("return [...document.querySelectorAll('#events li')].map((line) => line.textContent)");
  await expect.poll(said).toEqual(["error cookies-refused"]);
  await webkit.frame(await webkit.run("return document.querySelector('smtp-configurator').shadowRoot.querySelector('iframe')"));
  expect(await webkit.run("return document.documentElement.lang")).toBe("fr");
  await expect.poll(() => webkit.run("return document.querySelector('[data-tab]').hidden")).toBe(false);
  const before = await webkit.windows();
  await webkit.click(await webkit.find("[data-tab] button"));
  await expect.poll(async () => (await webkit.windows()).length).toBe(before.length + 1);
  await webkit.enter((await webkit.windows()).find((handle) => !before.includes(handle))!);
  await expect.poll(webkit.url).toBe(`${demo.configurator}/sending-mode`);
  await expect.poll(webkit.heading).toBe("Mode d’envoi des emails");
});

test("the form's legends stand inside their boxes, and its fields beside the guide", async ({ demo, webkit }) => {
  await webkit.send("POST", "/window/rect", { width: 1200, height: 1000 });
  await webkit.go(`${demo.portal}/boulangerie-martin/open/profiles?lang=fr`);
  await expect.poll(webkit.heading).toBe("Profils SMTP");
  await webkit.go(`${demo.configurator}/profiles/new`);
  await expect.poll(() => webkit.run("return document.querySelectorAll('fieldset.section').length")).toBeGreaterThan(2);
  const boxes: { legend: number; first: number; top: number; name: string }[] = await webkit.run(`
    return [...document.querySelectorAll("fieldset.section")].map((box) => {
      const legend = box.querySelector("legend");
      return { name: legend.textContent, top: box.getBoundingClientRect().top, legend: legend.getBoundingClientRect().top,
        first: legend.nextElementSibling.getBoundingClientRect().top - legend.getBoundingClientRect().bottom };
    })`);
  for (const { name, top, legend, first } of boxes) {
    expect(legend - top, `${name}: its legend is below the border`).toBeGreaterThan(8);
    expect(first, `${name}: what follows is below the legend`).toBeGreaterThanOrEqual(-1);
  }
  const { guide, fields, box } = await webkit.run(`
    const right = (element) => element.getBoundingClientRect().right;
    const guide = document.querySelector("#guide");
    return { guide: guide.getBoundingClientRect().left, box: right(guide.closest(".section")) - right(guide),
      fields: [...guide.parentElement.querySelectorAll(":scope > .field")].map(right) }`);
  expect(fields.length).toBeGreaterThan(4);
  for (const right of fields) expect(right).toBeLessThanOrEqual(guide);
  expect(box, "the guide is inside the box").toBeGreaterThan(8);
});
