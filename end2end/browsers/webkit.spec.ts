// WebKit: the tutorial, over plain HTTP as the demo serves it, and the tab where the frame's cookie is refused.
import { test as base, expect } from "../tests/demo";
import { Person } from "./driver";
import { hold, signIn, walk } from "./journey";
import { oneSite, type Site } from "./onesite";
import { WebKit } from "./webkit";

const test = base.extend<{ webkit: WebKit; site: Site }>({
  webkit: async ({}, use) => {
    const webkit = await WebKit.launch();
    await webkit.resize(1200, 1000);
    await use(webkit);
    await webkit.close();
  },
  site: async ({ demo }, use) => {
    const site = await oneSite(demo);
    await use(site);
    site.close();
  },
});

test("the whole tutorial, and a press that is held while an answer arrives, in the page", async ({ demo, webkit }) => {
  await walk(webkit, demo, "page");
  await hold(webkit);
});

test("the whole tutorial, and a press that is held while an answer arrives, in a frame of the same site", async ({ site, webkit }) => {
  await walk(webkit, site, "frame");
  await hold(webkit);
});

// Not in the frame of the same site: the provider comes back to the configurator's own address, not to the proxy's.
test("signing in at the provider, in the page", async ({ demo, webkit }) => {
  await signIn(webkit, demo, "page");
});

test("where the frame's cookie is refused, a press opens a tab", async ({ demo, webkit }) => {
  const person = new Person(webkit);
  await webkit.go(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  await person.sees("text", "error cookies-refused", "#events");
  await webkit.enter();
  expect(await webkit.run(() => document.documentElement.lang)).toBe("fr");
  const before = await webkit.windows();
  await person.press(["button", "Ouvrir dans un nouvel onglet", "[data-tab]:not([hidden])"]);
  await expect.poll(async () => (await webkit.windows()).length).toBe(before.length + 1);
  await webkit.window((await webkit.windows()).find((handle) => !before.includes(handle))!);
  await expect.poll(webkit.url).toBe(`${demo.configurator}/sending-mode`);
  await person.sees("heading", "Mode d’envoi des emails");
});
