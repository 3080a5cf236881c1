// A session that ends loses no input, on any page: alone, in a portal's page, and without JavaScript. Resuming changes
// nothing by itself.
import type { Frame, Locator, Page } from "@playwright/test";
import { PASSWORD } from "./configurator";
import { type Demo, expect, test } from "./demo";
import { revoke, sign } from "./portal";

const SAID = /Votre session avait pris fin/;
const SETTINGS = "/boulangerie-martin/settings/sending?lang=fr";

/** Where a page is shown: alone, or in a frame. */
type Shown = Page | Frame;
type Case = {
  name: string;
  path: (id: string) => string;
  field: (shown: Shown) => Locator;
  /** The typed text; undefined for a choice. */
  typed?: string;
  press: string;
};

const label = (text: string, exact = true) => (shown: Shown) => shown.getByLabel(text, { exact });
const CASES: Case[] = [
  { name: "the form", path: (id) => `/profiles/edit?id=${id}`, field: label("Nom de l’expéditeur", false), typed: "Chez Élise & fils", press: "Valider" },
  { name: "the encoding", path: (id) => `/profiles/encoding?id=${id}`, field: label("ISO-8859-15"), press: "Valider" },
  { name: "the limits", path: (id) => `/profiles/sending?id=${id}`, field: label("Messages par jour", false), typed: "4321", press: "Enregistrer" },
  { name: "the mode", path: () => "/sending-mode", field: label("Par vos propres comptes SMTP"), press: "Enregistrer" },
  { name: "the deletion", path: (id) => `/profiles/delete?id=${id}`, field: (shown) => shown.locator("#successor-none"), press: "Supprimer" },
  { name: "the code", path: (id) => `/profiles/report?id=${id}`, field: (shown) => shown.locator("#code"), typed: "12 34 56", press: "Confirmer la réception" },
];

const content = (shown: Shown) => shown.locator("#content");
async function enter(shown: Shown, { field, typed }: Case) {
  for (const folded of await shown.locator(".advanced:not([open]) summary").all()) await folded.click();
  if (typed) await field(shown).fill(typed);
  else await field(shown).check();
}
async function isThere(shown: Shown, { field, typed }: Case) {
  if (typed) await expect(field(shown)).toHaveValue(typed);
  else await expect(field(shown)).toBeChecked();
}
const press = (shown: Shown, { press }: Case) => content(shown).getByRole("button", { name: press, exact: true }).first().click();
/** Waits until the islands listen, if there are any. */
const ready = async (shown: Shown, scripted: boolean) => {
  if (scripted && /profiles\/(new|edit)/.test(shown.url())) await shown.locator(".search.shown").waitFor();
};

/** Two profiles, so that one can replace the other; the first is in use, and the code of its test was not entered. */
async function prepare(configurator: any, page: Page): Promise<string> {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const id = (await page.locator("input[name=id]").first().getAttribute("value"))!;
  await configurator.test();
  await configurator.open();
  await configurator.addPersona("atelier@sandbox.example");
  return id;
}

/** Opens the configurator in another tab, as the portal's page does. */
async function openAgain(page: Page, demo: Demo, scripted: boolean) {
  const portal = await page.context().newPage();
  await portal.goto(`${demo.portal}/boulangerie-martin/open/profiles?lang=fr`);
  if (!scripted) await portal.getByRole("button", { name: "Ouvrir le configurateur" }).click();
  await portal.waitForURL(`${demo.configurator}/profiles`);
  await portal.close();
}

const ENDS = [
  ["revoked", async (_: Page, demo: Demo) => revoke(demo)],
  ["without its cookie", async (page: Page) => page.context().clearCookies()],
] as const;

for (const one of CASES) {
  test(`alone: ${one.name} is there again after the session ended`, async ({ configurator, page, demo, javaScriptEnabled }) => {
    const scripted = javaScriptEnabled !== false;
    const id = await prepare(configurator, page);
    for (const [, end] of ENDS) {
      await page.goto(demo.configurator + one.path(id));
      await ready(page, scripted);
      await enter(page, one);
      await end(page, demo);
      await press(page, one);
      if (scripted && one.name === "the form") {
        // The form stays, with the password in it.
        await expect(page.getByText("Votre saisie est toujours dans cette page")).toBeVisible();
        await isThere(page, one);
        await openAgain(page, demo, scripted);
      } else {
        await expect(page.getByRole("heading", { name: "Session terminée" })).toBeVisible();
        await openAgain(page, demo, scripted);
        await page.getByRole("button", { name: "Continuer" }).click();
        await expect(page.getByText(SAID)).toBeVisible();
        expect(new URL(page.url()).pathname).toBe(one.path(id).split("?")[0]);
        await isThere(page, one);
      }
    }
  });

  test(`in a frame: ${one.name} is there again, and the portal hears of it @wasm`, async ({ configurator, page, demo }) => {
    const id = await prepare(configurator, page);
    const names = ["ready", "session-expired", "error"];
    await page.addInitScript((names) => {
      const heard: string[] = ((window as any).heard = []);
      for (const name of names) addEventListener(name, (event) => event instanceof CustomEvent && heard.push(name), { capture: true });
    }, names);
    await page.goto(demo.portal + SETTINGS);
    const heard = async (expected: string[]) => expect.poll(() => page.evaluate(() => (window as any).heard)).toEqual(expected);
    await heard(["ready"]);
    const frame = page.frames().find((frame) => frame.url().startsWith(demo.configurator))!;
    const all = ["ready"];
    for (const [, end] of ENDS) {
      await frame.goto(demo.configurator + one.path(id));
      await ready(frame, true);
      await enter(frame, one);
      await end(page, demo);
      await press(frame, one);
      all.push("session-expired", "ready");
      await heard(all);
      await expect(frame.getByText(SAID)).toBeVisible();
      expect(new URL(frame.url()).pathname).toBe(one.path(id).split("?")[0]);
      await isThere(frame, one);
    }
  });
}

test("a new profile with its password: everything but that is filled in, and this is said @without", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.sandbox.example");
  await page.getByLabel("Numéro de port").fill("465");
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.locator("#secret").fill(PASSWORD);
  await revoke(demo);
  await configurator.validateButton().click();
  await expect(page.getByText("sauf le mot de passe")).toBeVisible();
  await openAgain(page, demo, false);
  await page.getByRole("button", { name: "Continuer" }).click();
  await expect(page.getByText(/sauf le mot de passe.*saisissez-le à nouveau/)).toBeVisible();
  await expect(page.getByLabel("Identifiant SMTP")).toHaveValue("boutique@sandbox.example");
  await expect(page.locator("#secret")).toHaveValue("");
});

test("in a frame Tester asks to be pressed again, and a link leads where it leads @wasm", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await page.goto(demo.portal + SETTINGS);
  const frame = page.frameLocator("smtp-configurator iframe");
  await frame.getByRole("navigation").getByRole("link", { name: "Profils SMTP" }).click();
  await expect(frame.getByRole("button", { name: "Tester" })).toBeVisible();
  await revoke(demo);
  await frame.getByRole("button", { name: "Tester" }).click();
  await expect(frame.getByText(/rouverte.*appuyez à nouveau sur Tester/)).toBeVisible();
  expect(await demo.inbox()).toEqual([]);
  await frame.getByRole("button", { name: "Tester" }).click();
  await expect(frame.locator("[data-verdict=accepted]")).toBeVisible({ timeout: 45_000 });
  await revoke(demo);
  await frame.getByRole("button", { name: "Modifier" }).click();
  await expect(frame.getByRole("heading", { name: "Modifier le profil" })).toBeVisible();
});

test("in a frame another person gets nothing of what was typed @wasm", async ({ configurator, page, demo }) => {
  const id = await prepare(configurator, page);
  const heard = () => page.evaluate(() => (window as any).heard);
  await page.addInitScript(() => {
    const heard: string[] = ((window as any).heard = []);
    for (const name of ["ready", "session-expired"]) addEventListener(name, (event) => event instanceof CustomEvent && heard.push(name));
  });
  await page.goto(demo.portal + SETTINGS);
  await expect.poll(heard).toEqual(["ready"]);
  const frame = page.frames().find((frame) => frame.url().startsWith(demo.configurator))!;
  await frame.goto(`${demo.configurator}/profiles/sending?id=${id}`);
  await frame.getByText("Avancé").click();
  await frame.getByLabel("Messages par jour").fill("4321");
  const tokens = [1, 2].map(() => sign(demo, { sub: "karim" }));
  await page.evaluate((tokens) => (document.querySelector<any>("smtp-configurator").fetchToken = async () => tokens.shift()), tokens);
  await revoke(demo);
  await content(frame).getByRole("button", { name: "Enregistrer" }).click();
  await expect.poll(heard).toEqual(["ready", "session-expired", "ready"]);
  const fresh = page.frameLocator("smtp-configurator iframe");
  await expect(fresh.getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
  const shown = page.frames().find((frame) => frame.url().startsWith(demo.configurator))!;
  await shown.goto(`${demo.configurator}/profiles/sending?id=${id}`);
  await expect(shown.getByLabel("Messages par jour")).toHaveValue("");
});

test("in a frame nothing is lost while the portal gives no token either @wasm", async ({ configurator, page, demo }) => {
  const id = await prepare(configurator, page);
  await page.goto(demo.portal + SETTINGS);
  await expect(page.frameLocator("smtp-configurator iframe").getByRole("heading", { name: "Mode d’envoi" })).toBeVisible();
  const frame = page.frames().find((frame) => frame.url().startsWith(demo.configurator))!;
  await frame.goto(`${demo.configurator}/profiles/edit?id=${id}`);
  await ready(frame, true);
  await frame.locator("#sender_name").fill("Chez Élise");
  await frame.locator("#secret").fill(PASSWORD);
  await page.route(/\/boulangerie-martin\/token$/, (route) => route.fulfill({ status: 401, body: "" }));
  await revoke(demo);
  await content(frame).locator(".actions").getByRole("button", { name: "Valider" }).click();
  // The portal refuses before its next response is let through.
  const again = page.getByRole("button", { name: "Réessayer" });
  await expect(again).toBeVisible();
  await page.unrouteAll({ behavior: "wait" });
  await again.click();
  await expect(frame.getByText(SAID)).toBeVisible();
  await expect(frame.locator("#sender_name")).toHaveValue("Chez Élise");
  await expect(frame.locator("#secret")).toHaveValue(PASSWORD);
  await content(frame).locator(".actions").getByRole("button", { name: "Valider" }).click();
  await expect(frame.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible();
});

test("a link after the end: one page says so, in the language of the session, with the way back", async ({ configurator, page, demo, javaScriptEnabled }) => {
  await configurator.open("profiles", "boulangerie-martin", "en");
  await revoke(demo);
  await page.getByRole("link", { name: "Add", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Session ended" })).toBeVisible();
  await expect(page.getByText("Step 1")).toBeHidden();
  await expect(page.getByRole("link", { name: "Back to the portal" })).toBeVisible();
  // If the cookie is gone, the tab knows the language, if it has JavaScript.
  if (javaScriptEnabled === false) return;
  await configurator.open("profiles", "boulangerie-martin", "en");
  await page.context().clearCookies();
  await page.getByRole("link", { name: "Add", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Session ended" })).toBeVisible();
});

test("what is typed is kept while it is typed, and when the tab is closed @wasm", async ({ configurator, page, context, demo }) => {
  await configurator.open();
  await configurator.add();
  // Still in the field: the pause is enough.
  await Promise.all([page.waitForResponse(/profiles\/check/), page.getByLabel("Identifiant SMTP").pressSequentially("boutique@sandbox.example")]);
  const other = await context.newPage();
  await other.goto(`${demo.configurator}/profiles`);
  await expect(other.getByText("Vous avez commencé à saisir un profil (boutique@sandbox.example)")).toBeVisible();
  // Not even a pause: the tab is closed.
  await page.getByLabel("Identifiant SMTP").fill("devis@sandbox.example");
  await page.close();
  await expect(async () => {
    await other.goto(`${demo.configurator}/profiles`);
    await expect(other.getByText("(devis@sandbox.example)")).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 10_000 });
});

test("a code of the wrong shape: our own words, in the reader's language, and it stays in the field", async ({ configurator, page, demo }) => {
  const id = await prepare(configurator, page);
  await page.goto(`${demo.configurator}/profiles/report?id=${id}`);
  await page.locator("#code").fill("12 34");
  await page.getByRole("button", { name: "Confirmer la réception" }).click();
  await expect(page.getByText("Le code comporte six chiffres.")).toBeVisible();
  await expect(page.locator("#code")).toHaveValue("12 34");
  await expect(page.locator("#code")).toHaveAttribute("aria-invalid", "true");
});
