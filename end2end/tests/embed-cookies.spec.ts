// <smtp-configurator> in a browser that partitions third parties' cookies, as browsers are going to. The headless shell
// cannot do that: these tests need the whole browser.
import config from "../playwright.config";
import { expect, test } from "./demo";

const { args } = config.use!.launchOptions!;
const whole = process.env.WHOLE_CHROMIUM ? { executablePath: process.env.WHOLE_CHROMIUM } : { channel: "chromium" };
test.use({ launchOptions: { ...whole, args: [...args!, "--test-third-party-cookie-phaseout"] } });

test("a cookie of its own for each portal is enough @wasm", async ({ page, demo, context }) => {
  await page.goto(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  const frame = page.frameLocator("smtp-configurator iframe");
  await frame.getByRole("navigation").getByRole("link", { name: "Profils SMTP" }).click();
  await expect(frame.getByRole("link", { name: "Ajouter", exact: true })).toBeVisible();
  await expect(page.locator("#events li")).toHaveText(["ready"]);
  // Outside the portal, the same browser has no session.
  const alone = await context.newPage();
  expect((await alone.goto(`${demo.configurator}/profiles`))!.status()).toBe(401);
});

test("a cookie for everybody would be refused here: the element says so @wasm", async ({ page, demo }) => {
  await page.route(/\/session$/, async (route) => {
    const response = await route.fetch({ maxRedirects: 0, headers: { ...route.request().headers(), "sec-fetch-dest": "iframe" } });
    // A fetch of the test stores cookies in the browser.
    await page.context().clearCookies();
    const headers = response.headers();
    headers["set-cookie"] = headers["set-cookie"].replace("; Partitioned", "");
    await route.fulfill({ status: response.status(), headers, body: "" });
  });
  await page.goto(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  await expect(page.locator("#events li")).toHaveText(["error cookies-refused"]);
  await expect(page.frameLocator("smtp-configurator iframe").getByRole("button", { name: "Ouvrir dans un nouvel onglet" })).toBeVisible();
});
