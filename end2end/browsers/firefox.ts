// Firefox over WebDriver BiDi, by Puppeteer.
import puppeteer, { type Browser, type Frame, type Page } from "puppeteer-core";
import { type Demo, expect } from "../tests/demo";
import type { Driver, Source } from "./driver";

const executablePath = process.env.FIREFOX || "/usr/bin/firefox-esr";

/** A browser that prefers English, so that French can only come from the portal. */
export function launch(preferences: Record<string, unknown> = {}): Promise<Browser> {
  const extraPrefsFirefox = { "intl.accept_languages": "en-US", "intl.locale.requested": "en-US", ...preferences };
  const defaultViewport = { width: 1200, height: 1000 };
  return puppeteer.launch({ browser: "firefox", executablePath, extraPrefsFirefox, headless: true, defaultViewport });
}

export class Firefox implements Driver {
  #frame: Frame;

  constructor(private browser: Browser, readonly page: Page, private demo: Demo) {
    this.#frame = page.mainFrame();
  }

  go = (url: string) => this.page.goto(url);

  async enter() {
    const find = () => this.page.frames().find((frame) => frame.url().startsWith(this.demo.configurator));
    await expect.poll(() => find()?.url(), { timeout: 20_000 }).toContain("/sending-mode");
    this.#frame = find()!;
  }

  run<A extends unknown[], T>(what: (...given: A) => T, ...given: A) {
    return this.#frame.evaluate(what as any, ...given) as Promise<Awaited<T>>;
  }

  async around<A extends unknown[], T>(what: (...given: A) => T, ...given: A): Promise<Awaited<T> | undefined> {
    const around = this.page.mainFrame();
    if (this.#frame !== around) return (await around.evaluate(what as any, ...given)) as Awaited<T>;
  }

  async origin<A extends unknown[]>(find: (...given: A) => Element | undefined, ...given: A) {
    const handle: any = await this.#frame.evaluateHandle(find as any, ...given);
    const { sharedId } = handle.remoteValue();
    return sharedId && { type: "element", element: { sharedId } };
  }

  async inWindow(press: () => Promise<unknown>, act: (window: Driver) => Promise<unknown>) {
    const opens = new Promise<Page>((resolve) => this.browser.once("targetcreated", async (target) => resolve((await target.page())!)));
    await press();
    const page = await opens;
    await act(new Firefox(this.browser, page, this.demo));
    await page.close();
  }

  /** Puppeteer's own mouse and keyboard do not find frames inside an element. */
  perform(actions: Source[]) {
    return (this.browser as any).connection.send("input.performActions", { context: (this.#frame as any)._id, actions });
  }
}
