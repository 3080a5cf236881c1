// Firefox: the tutorial, and the element where cookies of other sites are refused.
import type { Browser, Page } from "puppeteer-core";
import { test as base, expect } from "../tests/demo";
import { Person } from "./driver";
import { Firefox, launch } from "./firefox";
import { hold, signIn, walk } from "./journey";

/** A browser, and a tab of it. */
const test = base.extend<{ start: (preferences?: Record<string, unknown>) => Promise<{ browser: Browser; firefox: Firefox }> }>({
  start: async ({ demo }, use) => {
    const running: Browser[] = [];
    await use(async (preferences) => {
      const browser = await launch(preferences);
      running.push(browser);
      return { browser, firefox: new Firefox(browser, await browser.newPage(), demo) };
    });
    for (const browser of running) await browser.close();
  },
});

/** The next tab that is opened. */
const opened = (browser: Browser) =>
  new Promise<Page>((resolve) => browser.once("targetcreated", async (target) => resolve((await target.page())!)));

const heading = (tab: Page) => tab.$eval("h1", (heading) => heading.textContent).catch(() => "");

for (const place of ["page", "frame"] as const) {
  test(`the whole tutorial, and a press that is held while an answer arrives, in the ${place}`, async ({ demo, start }) => {
    const { firefox } = await start();
    await walk(firefox, demo, place);
    await hold(firefox);
  });
}

for (const place of ["page", "frame"] as const) {
  test(`signing in at the provider, in the ${place}`, async ({ demo, start }) => {
    const { firefox } = await start();
    await signIn(firefox, demo, place);
  });
}

test("where cookies of other sites are refused, a press opens a tab", async ({ demo, start }) => {
  const { browser, firefox } = await start({ "network.cookie.cookieBehavior": 1 });
  const person = new Person(firefox);
  await firefox.go(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  await person.sees("text", "error cookies-refused", "#events");
  await firefox.enter();
  const look = await firefox.run(() => ({
    language: document.documentElement.lang,
    brand: getComputedStyle(document.documentElement).getPropertyValue("--brand"),
    wayBack: Array.from(document.querySelectorAll("a, button")).filter(({ textContent }) => textContent === "Retour au portail").length,
  }));
  expect(look.language).toBe("fr");
  expect(look.brand, "the demo's colour, not Facteur's").not.toMatch(/#17624f/);
  expect(look.wayBack).toBe(1);
  const token = () => firefox.run(() => document.querySelector<HTMLFormElement>("[data-tab]")!.token.value as string);
  const used = await token();
  const press = async () => {
    const tab = opened(browser);
    await person.press(["button", "Ouvrir dans un nouvel onglet", "form[target=_blank]:not([hidden])"]);
    return tab;
  };
  const tab = await press();
  await expect.poll(() => tab.url(), { timeout: 15_000 }).toBe(`${demo.configurator}/sending-mode`);
  await expect.poll(() => heading(tab)).toBe("Mode d’envoi des emails");
  expect(await tab.evaluate(() => window.opener === null && document.documentElement.lang)).toBe("fr");
  // The used token is replaced: a second press works too.
  await firefox.page.bringToFront();
  await expect.poll(token, { timeout: 15_000 }).not.toBe(used);
  const again = await press();
  await expect.poll(() => heading(again)).toBe("Mode d’envoi des emails");
});
