// axe finds nothing, on any page and state, in both languages and themes, wide and at 400 % zoom (WCAG 2.2, 1.4.10:
// 1280 pixels become 320).
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./demo";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function check(page: Page, name: string, without: string[] = []) {
  const none = async (axe: AxeBuilder, colorScheme: "light" | "dark") => {
    await page.emulateMedia({ colorScheme });
    const { violations } = await axe.analyze();
    const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
    expect(found, `${name}, ${colorScheme}`).toEqual([]);
  };
  await none(new AxeBuilder({ page }).withTags(TAGS).disableRules(without), "light");
  // The dark theme is the same document in other colours (`light-dark()` in style/tokens.css).
  await none(new AxeBuilder({ page }).withRules(["color-contrast", "link-in-text-block"]), "dark");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect(wide, `${name} scrolls sideways`).toBe(false);
}

for (const language of ["fr", "en"] as const) {
  for (const width of [1280, 320]) {
    test(`every page, ${language}, ${width} wide @wasm @once`, async ({ page, configurator, demo }) => {
      test.setTimeout(600_000);
      const problems: string[] = [];
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.setViewportSize({ width, height: 800 });
      await configurator.open("sending-mode", "boulangerie-martin", language);
      await check(page, "sending mode");
      await configurator.open("profiles", "boulangerie-martin", language);
      await check(page, "empty list");
      await configurator.add();
      await check(page, "new profile");
      await page.getByRole("radio", { name: "Gmail", exact: true }).check();
      await page.locator("#presets details summary").click();
      await page.getByRole("radio", { name: "Mailjet" }).check();
      await configurator.validateButton().click();
      await check(page, "refused form");
      await configurator.open("profiles", "boulangerie-martin", language);
      await configurator.addPersona("application@sandbox.example");
      await check(page, "list");
      await configurator.test();
      await check(page, "failed test");
      const id = await page.locator("input[name=id]").first().getAttribute("value");
      for (const path of ["encoding", "edit", "delete", "report", "sending"]) {
        await page.goto(`${demo.configurator}/profiles/${path}?id=${id}`);
        await check(page, path);
      }
      await page.goto(`${demo.configurator}/profiles/sending?id=${id}`);
      await page.locator(".advanced summary").click();
      await page.locator("#per-minute").fill("abc");
      await page.locator("main form .primary").click();
      await page.waitForURL(/draft=1/);
      await check(page, "refused limits");
      // One text for both languages.
      if (language === "en") {
        await page.goto(`${demo.configurator}/api`);
        await check(page, "the API's reference");
      }
      // STARTTLS on the port of TLS, and a secret with a typographic dash.
      await page.goto(`${demo.configurator}/profiles/edit?id=${id}`);
      await configurator.ready();
      await page.locator("#security-starttls").check();
      await page.locator("#secret").fill("abcd–efgh–ijkl–mnop");
      await configurator.validateButton().click();
      await page.waitForURL(/warn=/);
      await check(page, "warnings");
      // A sign-in: its page, the provider's window, a refusal with the administrator's text, the form of who signed in.
      await configurator.open("profiles", "boulangerie-martin", language);
      for (const account of ["admin", "boutique"]) {
        await page.goto(`${demo.configurator}/profiles/new`);
        await configurator.ready();
        await configurator.choosePreset(configurator.words.sandbox);
        const opens = page.waitForEvent("popup");
        await page.locator("#guide .sign-in button").click();
        const window = await opens;
        await page.locator("p.lead[role=status]").waitFor();
        await check(page, "sign-in");
        await window.waitForURL(/authorize/);
        await window.locator(`input[value="${account}@sandbox.example"]`).check();
        await window.locator("button[value=accept]").click();
        await window.waitForURL(/oauth\/done/);
        await check(window, `the window of ${account}`);
        await window.close();
        await page.locator(account === "admin" ? ".card.bad" : "input[name=encoding]").first().waitFor();
        await check(page, `after ${account}`);
      }
      await page.goto(page.url().replace("/encoding", "/edit"));
      await check(page, "signed in");
      // A successful test, with the field for its code; one that can be fixed, with its findings.
      await configurator.open("profiles", "velo-dubois", language);
      await configurator.addPersona("boutique@sandbox.example");
      await configurator.test();
      for (const summary of await page.locator("summary").filter({ visible: true }).all()) await summary.click();
      await check(page, "accepted");
      await page.getByRole("button", { name: configurator.words.edit, exact: true }).click();
      await configurator.ready();
      await page.locator("#security-starttls").check();
      await page.locator("#secret").fill("abcdefghijklmnop");
      await configurator.validateButton().click();
      await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
      await configurator.validateButton().click();
      await page.waitForURL(/selected=/);
      await configurator.test();
      for (const summary of await page.locator("summary").filter({ visible: true }).all()) await summary.click();
      await expect(page.locator(".fixes, .survey")).toHaveCount(2);
      await check(page, "mendable");
      await page.goto(`${demo.configurator}/history`);
      await check(page, "history");
      for (const path of ["/boulangerie-martin", "/boulangerie-martin/settings", "/inbox"]) {
        await page.goto(demo.portal + path);
        await check(page, `portal ${path}`);
      }
      await page.goto(`${demo.portal}/boulangerie-martin/settings/sending`);
      await page.locator("#events", { hasText: "ready" }).waitFor();
      // The frame has a header and a main part of its own.
      await check(page, "portal with the element", ["landmark-unique"]);
      expect(problems).toEqual([]);
    });
  }
}

test("in a contrast theme no information is in a background alone @wasm", async ({ page, configurator }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.test();
  const style = (selector: string, pseudo: string, name: string) =>
    page.locator(selector).first().evaluate((element, [pseudo, name]) => getComputedStyle(element, pseudo || null).getPropertyValue(name), [pseudo, name]);
  expect(await style(".profile:has(:checked)", "", "outline-style")).toBe("solid");
  await page.getByText("Détails techniques").filter({ visible: true }).click();
  const canvas = await style("body", "", "background-color");
  expect(await style(".stage.ok", "::before", "background-color")).not.toBe(canvas);
});
