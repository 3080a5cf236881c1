// Firefox, over WebDriver BiDi: the element where cookies are kept, and where those of other sites are refused.
import puppeteer, { type Browser, type Frame, type Page } from "puppeteer-core";
import { test as base, type Demo, expect } from "../tests/demo";

const executablePath = process.env.FIREFOX || "/usr/bin/firefox-esr";
const SENDING = "/boulangerie-martin/settings/sending?lang=fr";

/** A browser that wants English, so that whatever is French comes from the portal. */
const test = base.extend<{ launch: (preferences: Record<string, unknown>) => Promise<Browser> }>({
  launch: async ({}, use) => {
    const running: Browser[] = [];
    await use(async (preferences) => {
      const extraPrefsFirefox = { "intl.accept_languages": "en-US", "intl.locale.requested": "en-US", ...preferences };
      const browser = await puppeteer.launch({ browser: "firefox", executablePath, extraPrefsFirefox, headless: true });
      running.push(browser);
      return browser;
    });
    for (const browser of running) await browser.close();
  },
});

/** The element's page, and its frame once it shows a page of Facteur's. */
async function open(browser: Browser, demo: Demo): Promise<{ page: Page; frame: Frame }> {
  const page = await browser.newPage();
  await page.goto(demo.portal + SENDING);
  const find = () => page.frames().find((frame) => frame.url().startsWith(demo.configurator));
  await expect.poll(() => find()?.url(), { timeout: 20_000 }).toContain("/sending-mode");
  return { page, frame: find()! };
}

/** A press by a mouse. Puppeteer's own does not find frames inside an element. */
async function press(browser: Browser, frame: Frame, button: any) {
  const { sharedId } = button.remoteValue();
  const pointer = [{ type: "pointerMove", x: 0, y: 0, origin: { type: "element", element: { sharedId } } }, { type: "pointerDown", button: 0 }, { type: "pointerUp", button: 0 }];
  const actions = [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions: pointer }];
  await (browser as any).connection.send("input.performActions", { context: (frame as any)._id, actions });
}

/** The next tab that is opened. */
const opened = (browser: Browser) =>
  new Promise<Page>((resolve) => browser.once("targetcreated", async (target) => resolve((await target.page())!)));

const said = (page: Page) => page.$$eval("#events li", (lines) => lines.map((line) => line.textContent));

test("the element opens", async ({ demo, launch }) => {
  const { page, frame } = await open(await launch({}), demo);
  await expect.poll(() => said(page)).toEqual(["ready"]);
  await expect.poll(() => frame.$eval("h1", (heading) => heading.textContent)).toBe("Mode d’envoi des emails");
});

test("where cookies of other sites are refused, a press opens a tab", async ({ demo, launch }) => {
  const browser = await launch({ "network.cookie.cookieBehavior": 1 });
  const { page, frame } = await open(browser, demo);
  await expect.poll(() => said(page)).toEqual(["error cookies-refused"]);
  const look = await frame.evaluate(() => ({
    language: document.documentElement.lang,
    brand: getComputedStyle(document.documentElement).getPropertyValue("--brand"),
    wayBack: Array.from(document.querySelectorAll("a, button")).filter(({ textContent }) => textContent === "Retour au portail").length,
  }));
  expect(look.language).toBe("fr");
  expect(look.brand, "the demo's colour, not Facteur's").not.toMatch(/#17624f/);
  expect(look.wayBack).toBe(1);
  const button = await frame.waitForSelector("form[target=_blank]:not([hidden]) button", { timeout: 15_000 });
  expect(await button!.evaluate(({ textContent }) => textContent)).toBe("Ouvrir dans un nouvel onglet");
  const token = () => frame.$eval("[data-tab]", (form) => (form as HTMLFormElement).token.value as string);
  const used = await token();
  const first = opened(browser);
  await press(browser, frame, button);
  const tab = await first;
  await expect.poll(() => tab.url(), { timeout: 15_000 }).toBe(`${demo.configurator}/sending-mode`);
  await expect.poll(() => tab.$eval("h1", (heading) => heading.textContent).catch(() => "")).toBe("Mode d’envoi des emails");
  expect(await tab.evaluate(() => window.opener === null && document.documentElement.lang)).toBe("fr");
  // What was used is replaced: a second press works too.
  await page.bringToFront();
  await expect.poll(token, { timeout: 15_000 }).not.toBe(used);
  const second = opened(browser);
  await press(browser, frame, button);
  const again = await second;
  await expect.poll(() => again.$eval("h1", (heading) => heading.textContent).catch(() => "")).toBe("Mode d’envoi des emails");
});
