// A failure is fixed in one click; findings are shown; the code of the mail confirms its receipt.
import { readFileSync } from "node:fs";
import { type Page } from "@playwright/test";
import { Configurator, PASSWORD } from "./configurator";
import { type Demo, expect, test } from "./demo";

/** The sandbox's ports, as its preset fills them. */
async function ports(page: Page, configurator: Configurator) {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  return { tls: await page.getByLabel("Numéro de port").inputValue() };
}

type Settings = { login?: string; host?: string; security?: string; sender?: string; password?: string };

/** A profile of the sandbox with something changed by hand. */
async function addProfile(page: Page, configurator: Configurator, { login = "boutique@sandbox.example", host, security, sender, password = PASSWORD }: Settings) {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  if (host) await page.getByLabel("Adresse du serveur SMTP").fill(host);
  if (security) await page.getByRole("radio", { name: security, exact: true }).check();
  await page.getByLabel("Identifiant SMTP").fill(login);
  if (sender) await page.getByLabel("Adresse de l’expéditeur").fill(sender);
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(password);
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
}

async function applyFix(page: Page) {
  const before = page.locator("[data-verdict=failed]");
  await before.getByRole("button", { name: "Appliquer et retester" }).first().click();
  await page.locator("[data-verdict=accepted]").waitFor({ timeout: 45_000 });
}

test("the wrong encryption for the port is found, fixed and tested", async ({ page, configurator, demo }) => {
  await addProfile(page, configurator, { security: "STARTTLS" });
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-cause", "tls_port_mismatch");
  await expect(card.getByText("De vos réglages : sur ce port, ce serveur répond en SSL/TLS.")).toBeVisible();
  await expect(card.getByText("Vous pouvez corriger")).toBeVisible();
  await applyFix(page);
  expect(await demo.inbox()).toHaveLength(1);
});

test("another port is proposed only because the server answers there", async ({ page, configurator, demo }) => {
  const { tls } = await ports(page, configurator);
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  // Nothing listens on 465 of the sandbox.
  await page.getByLabel("Numéro de port").fill("465");
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-cause", "connect_refused");
  await expect(card.getByText(`Utiliser le port ${tls} avec SSL/TLS au lieu du port 465.`)).toBeVisible();
  await applyFix(page);
  await configurator.open();
  await expect(page.getByText(`smtp.sandbox.example:${tls}`)).toBeVisible();
  expect(await demo.inbox()).toHaveLength(1);
});

test("the sender's address becomes the login's", async ({ page, configurator, demo }) => {
  await addProfile(page, configurator, { login: "au-nom-de@sandbox.example", sender: "devis@sandbox.example" });
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-cause", "sender_rejected");
  await expect(card.getByText("Utiliser au-nom-de@sandbox.example comme adresse de l’expéditeur. Vérifié")).toBeVisible();
  await applyFix(page);
  expect((await demo.inbox())[0].from).toContain("au-nom-de@sandbox.example");
});

test("a server that refuses every sender gets no proposal", async ({ page, configurator }) => {
  await addProfile(page, configurator, { login: "expediteur@sandbox.example", sender: "devis@sandbox.example" });
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-cause", "sender_rejected");
  await expect(card.getByRole("button", { name: "Appliquer et retester" })).toHaveCount(0);
});

test("a login without its domain is reported at the login, if the provider wants the whole address", async ({ page, configurator }) => {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  await page.getByLabel("Identifiant SMTP").fill("boutique");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await configurator.validateButton().click();
  const login = page.getByLabel("Identifiant SMTP");
  await expect(login).toHaveAttribute("aria-invalid", "true");
  await expect(login).toHaveAccessibleDescription(/l’identifiant est votre adresse email complète/);
  await expect(page.getByLabel("Adresse de l’expéditeur")).not.toHaveAttribute("aria-invalid", "true");
  await login.fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

test("another way to log in", async ({ page, configurator }) => {
  // Another host than the preset's: there, spaces in the password may be significant.
  await addProfile(page, configurator, { host: "scram.sandbox.example", password: "abcdefghijklmnop" });
  const card = await configurator.test();
  await expect(card.getByText("Utiliser une autre méthode de connexion (PLAIN)")).toBeVisible();
  await applyFix(page);
  // Saving the form again keeps what works.
  await configurator.open();
  await configurator.button("Modifier").click();
  await configurator.ready();
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

test("a proposal that is out of date is not applied", async ({ page, configurator, demo, context }) => {
  await addProfile(page, configurator, { security: "STARTTLS" });
  await configurator.test();
  const id = await page.locator("[data-verdict=failed] input[name=id]").first().getAttribute("value");
  const other = await context.newPage();
  await other.goto(`${demo.configurator}/profiles/edit?id=${id}`);
  const there = new Configurator(other, demo, configurator.scripted);
  await there.ready();
  await other.getByLabel("Adresse de l’expéditeur").fill("devis@sandbox.example");
  await there.validateButton().click();
  await expect(there.heading(there.words.encoding)).toBeVisible();
  await there.validateButton().click();
  await page.getByRole("button", { name: "Appliquer et retester" }).first().click();
  await expect(page.getByText("Le profil a changé depuis ce test.")).toBeVisible();
  expect(await demo.inbox()).toHaveLength(0);
});

const codeOf = async (demo: Demo) => /Code de réception\s*: (\d{3} \d{3})/.exec((await demo.inbox())[0].text)![1];

test("the code of the mail turns accepted into received", async ({ page, configurator, demo }) => {
  await addProfile(page, configurator, {});
  await configurator.test();
  const code = await codeOf(demo);
  await page.getByLabel("Code reçu").fill(code === "000 000" ? "111111" : "000000");
  await page.getByRole("button", { name: "Confirmer la réception" }).click();
  await expect(page.getByText("Ce n’est pas le bon code. Il reste 4 essais.")).toBeVisible();
  // On the page where it was typed, and nowhere else.
  await expect(page).toHaveURL(configurator.scripted ? /profiles\?selected=/ : /profiles\/report/);
  await expect(page.locator("#code-fault")).toHaveText(/pas le bon code/);
  await expect(page.getByLabel("Code reçu")).toBeFocused();
  await page.getByLabel("Code reçu").fill(code);
  await page.getByRole("button", { name: "Confirmer la réception" }).click();
  await expect(page.getByText("La réception est confirmée")).toBeVisible();
  await expect(page.getByText("fonctionne, réception confirmée à l’instant")).toBeVisible();
  // The code is used up, and its digits are not kept.
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  await page.goto(`${demo.configurator}/profiles/report?id=${id}`);
  await expect(page.getByText("Réception confirmée à l’instant")).toBeVisible();
  await expect(page.getByLabel("Code reçu")).toHaveCount(0);
  expect(demo.everythingKept()).not.toContain(code.replace(" ", ""));
  // Another test removes nothing: both dates stay.
  await configurator.open();
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
  await configurator.open();
  await expect(page.getByText(/fonctionne, réception confirmée .*, testé à l’instant/i)).toBeVisible();
});

test("a code that is guessed ends after five tries, and a new test brings a new one", async ({ page, configurator, demo }) => {
  await addProfile(page, configurator, {});
  await configurator.test();
  const code = (await codeOf(demo)).replace(" ", "");
  for (let attempt = 0; attempt < 5; attempt++) {
    await page.getByLabel("Code reçu").fill(String((Number(code) + 1 + attempt) % 1_000_000).padStart(6, "0"));
    await page.getByRole("button", { name: "Confirmer la réception" }).click();
    await page.waitForURL(/notice=code/);
  }
  await page.getByLabel("Code reçu").fill(code);
  await page.getByRole("button", { name: "Confirmer la réception" }).click();
  await expect(page.getByText("Ce code n’est plus valable")).toBeVisible();
});

test("a mail that was lost never counts as received, and the page says what that can mean", async ({ page, configurator, demo }) => {
  await addProfile(page, configurator, { login: "perdu@sandbox.example" });
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
  expect(await demo.inbox()).toHaveLength(0);
  await page.getByText("Le message n’arrive pas ?").click();
  await expect(page.getByText("Cherchez-le dans le courrier indésirable")).toBeVisible();
  await expect(page.getByText("(SPF, DKIM)")).toBeVisible();
  await configurator.open();
  await expect(page.getByText("réception à confirmer")).toBeVisible();
  // A user who returns later finds the field for the code again.
  await configurator.more("Dernier test");
  await expect(page.getByLabel("Code reçu")).toBeVisible();
});

test("the report to pass on holds neither password nor recipient", async ({ page, configurator }) => {
  await addProfile(page, configurator, { login: "application@sandbox.example" });
  await configurator.test();
  await page.getByText("Compte rendu à transmettre").click();
  const text = await page.locator(".passable pre").innerText();
  expect(text).toContain("smtp.sandbox.example");
  expect(text).toContain("app_password_required");
  expect(text).toContain("C: AUTH PLAIN •••");
  expect(text).not.toContain("abcdefghijklmnop");
  expect(text).not.toContain("claire@");
});

test("the report is copied with one button @wasm", async ({ page, configurator, context }) => {
  await context.grantPermissions(["clipboard-read"]);
  await addProfile(page, configurator, { login: "application@sandbox.example" });
  await configurator.test();
  await page.getByText("Compte rendu à transmettre").click();
  await page.getByRole("button", { name: "Copier le compte rendu" }).click();
  await expect(page.getByText("Copié.")).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain("app_password_required");
  expect(copied).toContain("S: 220 ");
});

test("the row of the list follows a change that was applied @wasm", async ({ page, configurator }) => {
  await addProfile(page, configurator, { login: "au-nom-de@sandbox.example", sender: "devis@sandbox.example" });
  await configurator.test();
  await expect(page.locator(".profile .who strong")).toHaveText("devis@sandbox.example");
  await applyFix(page);
  await expect(page.locator(".profile .who strong")).toHaveText("au-nom-de@sandbox.example");
  await expect(page.locator(".profile .state")).toContainText("Accepté par le serveur");
});
