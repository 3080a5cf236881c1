// A press that begins on a button ends on it, regardless of responses meanwhile: nothing moves while a button is held
// down.
import type { Page } from "@playwright/test";
import { PASSWORD } from "./configurator";
import { expect, test } from "./demo";

/** Presses in the middle of a button, and releases where the pointer is. */
async function press(page: Page, selector: string, heldFor: () => Promise<unknown>) {
  const button = page.locator(selector);
  await button.scrollIntoViewIfNeeded();
  const box = (await button.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await heldFor();
  await page.mouse.up();
}

const LEFT: [field: string, typed: string, answer: RegExp][] = [
  ["host", "smtp.gmail.com", /guide/],
  ["host", "mail.gandi.net", /guide/],
  ["login", "boutique@gmail.com", /provider/],
];

for (const width of [1280, 320]) {
  for (const [field, typed, answer] of LEFT) {
    test(`Valider straight from the field, ${field} ${typed}, ${width} wide @wasm`, async ({ configurator, page }) => {
      await page.setViewportSize({ width, height: 800 });
      await configurator.open();
      await configurator.add();
      await configurator.choosePreset(configurator.words.sandbox);
      await configurator.input(configurator.words.login).fill("boutique@sandbox.example");
      await configurator.input(configurator.words.secret).fill(PASSWORD);
      await expect(page.locator("#guide")).toContainText("sandbox");
      await expect(page.locator(".assistant button")).toHaveCount(0);
      // The response comes once the button is down.
      let letGo = () => {};
      const down = new Promise<void>((resolve) => (letGo = resolve));
      await page.route((url) => answer.test(url.pathname), async (route) => {
        await down;
        await route.continue();
      });
      await page.locator(`#${field}`).fill(typed);
      await press(page, "#content .actions .primary", async () => {
        const answered = page.waitForResponse((response) => answer.test(response.url()));
        letGo();
        await (await answered).finished();
        await page.waitForTimeout(200);
      });
      await page.waitForURL(/encoding/);
    });
  }
}

test("Arrêter while the test goes on @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  await configurator.button("Tester").click();
  const now = page.locator(".panel .now span");
  await expect(page.locator(".panel .phases li")).not.toHaveCount(0);
  // The stream continues while the button is down: the text waits.
  await press(page, ".panel .stop", async () => {
    const words = await now.textContent();
    await page.waitForTimeout(1_000);
    expect(await now.textContent()).toBe(words);
  });
  await expect(now).toHaveText(/arrêté|déjà parti/);
});

test("a release that the page never hears holds nothing back for long @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const down = () => page.evaluate(() => void document.body.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })));
  await down();
  await page.getByLabel("Identifiant SMTP").fill("claire@gmail.com");
  await expect(page.getByText("Cette adresse est chez Gmail")).toBeVisible();
  // Continuing with the keyboard needs no wait.
  await down();
  await page.getByLabel("Identifiant SMTP").fill("claire@orange.fr");
  await page.waitForResponse(/provider/);
  await page.keyboard.press("Shift");
  await expect(page.getByText("Cette adresse est chez Orange")).toBeVisible({ timeout: 1_000 });
});
