// axe finds nothing, on any page, in both languages and themes, wide and narrow.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./demo";

async function check(page: Page, name: string, without: string[] = []) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).disableRules(without).analyze();
    const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
    expect(found, `${name}, ${colorScheme}`).toEqual([]);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  expect(wide, `${name} scrolls sideways`).toBe(false);
}

for (const language of ["fr", "en"] as const) {
  for (const width of [1200, 360]) {
    test(`every page, ${language}, ${width} wide @wasm`, async ({ page, configurator, demo }) => {
      test.setTimeout(120_000);
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
      for (const path of ["encoding", "edit", "delete", "report"]) {
        await page.goto(`${demo.configurator}/profiles/${path}?id=${id}`);
        await check(page, path);
      }
      for (const path of ["/boulangerie-martin", "/boulangerie-martin/settings", "/inbox"]) {
        await page.goto(demo.portal + path);
        await check(page, `portal ${path}`);
      }
      await page.goto(`${demo.portal}/boulangerie-martin/settings/sending`);
      await page.locator("#events", { hasText: "ready" }).waitFor();
      // The frame has a header and a main part of its own.
      await check(page, "portal with the element", ["landmark-unique"]);
      // The browser asks portals for an icon that this one has not.
      expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
    });
  }
}
