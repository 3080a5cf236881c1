// Signing in at a provider instead of entering a password.
import { type Locator, type Page } from "@playwright/test";
import type { Configurator } from "./configurator";
import { expect, test } from "./demo";

/** Presses the button that signs in; returns the provider's window. With scripts that is one press, without them two. */
async function press(page: Page, configurator: Configurator, button: Locator) {
  const opens = page.waitForEvent("popup");
  await configurator.ready();
  await button.click();
  if (!configurator.scripted) await page.getByRole("button", { name: "Ouvrir Sandbox" }).click();
  return opens;
}

/** From the button to the provider's answer, as one of its accounts. */
async function signIn(page: Page, configurator: Configurator, account: string, button = page.getByRole("button", { name: "Se connecter avec Sandbox" })) {
  const window = await press(page, configurator, button);
  await window.waitForURL(/authorize/);
  await window.locator(`input[value="${account}@sandbox.example"]`).check();
  await window.locator("button[value=accept]").click();
  await window.waitForURL(/oauth\/done/);
  const said = await window.locator("main").innerText();
  await window.close();
  // With scripts the page finds out by itself.
  if (!configurator.scripted) await page.getByRole("link", { name: "J’ai terminé" }).click();
  return said;
}

async function begin(page: Page, configurator: Configurator) {
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
}

test("an account that signs in sends, and no token is kept in clear", async ({ page, demo, configurator }) => {
  await configurator.open();
  await begin(page, configurator);
  expect(await signIn(page, configurator, "boutique")).toContain("Connexion réussie avec boutique@sandbox.example");
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-verdict", "accepted");
  const [mail] = await demo.inbox();
  expect(mail.login).toBe("boutique@sandbox.example");
  expect(mail.from).toBe("Boulangerie Martin <boutique@sandbox.example>");
  const kept = demo.everythingKept();
  for (const secret of ["Bearer ", "refresh_token", "code_verifier", "client_secret="]) expect(kept).not.toContain(secret);
  // The form shows who signed in, and no server.
  await page.goto(`${demo.configurator}/profiles`);
  await configurator.button("Modifier").click();
  await expect(page.getByText("Compte utilisé : boutique@sandbox.example")).toBeVisible();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveCount(0);
  await page.locator("#sender_name").fill("Boulangerie Martin et Fils");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

test("a permission that was withdrawn is renewed where the failure is read", async ({ page, demo, configurator }) => {
  await configurator.open();
  await begin(page, configurator);
  await signIn(page, configurator, "revoque");
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
  await page.goto(`${demo.configurator}/profiles`);
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-cause", "oauth_reconnect");
  await expect(card).toContainText("Reconnexion nécessaire");
  await signIn(page, configurator, "revoque", card.getByRole("button", { name: "Se connecter avec Sandbox" }));
  await page.waitForURL(/profiles\?selected=/);
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

for (const [account, words] of [
  ["refuse", "Vous n’avez pas donné votre accord"],
  ["admin", "Accord de votre administrateur nécessaire"],
  ["sans-scope", "Il manque l’autorisation d’envoyer"],
]) {
  test(`a sign-in that brings nothing says why: ${account}`, async ({ page, configurator }) => {
    await configurator.open();
    await configurator.add();
    await configurator.choosePreset(configurator.words.sandbox);
    await page.locator("#sender_name").fill("Chez Martin");
    await signIn(page, configurator, account);
    await expect(configurator.heading(words)).toBeVisible();
    await page.getByRole("link", { name: "Revenir au formulaire" }).click();
    await expect(page.locator("#sender_name")).toHaveValue("Chez Martin");
  });
}

test("another account than the form's is asked about, and a shared mailbox is one answer", async ({ page, demo, configurator }) => {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  await configurator.input(configurator.words.login).fill("partage@sandbox.example");
  await signIn(page, configurator, "boutique");
  await expect(page.getByText("Vous vous êtes connecté avec boutique@sandbox.example, et non avec partage@sandbox.example.")).toBeVisible();
  await configurator.button("Envoyer depuis partage@sandbox.example").click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.validateButton().click();
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
  const [mail] = await demo.inbox();
  expect(mail.from).toContain("partage@sandbox.example");
});

test("signed out, a profile takes a password instead", async ({ page, configurator }) => {
  await configurator.open();
  await begin(page, configurator);
  await signIn(page, configurator, "boutique");
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  await configurator.button("Modifier").click();
  await configurator.button("Se déconnecter").click();
  await expect(page.getByText("Vous êtes déconnecté")).toBeVisible();
  await configurator.ready();
  await configurator.secretInput().fill("abcdefghijklmnop");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

test("a quote waits when the permission is withdrawn, and leaves by itself after signing in again", async ({ page, demo, configurator }) => {
  const quote = (number: string) => page.getByRole("row", { name: new RegExp(number) });
  const shows = (number: string, words: RegExp) =>
    expect(async () => {
      await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
      await expect(quote(number)).toContainText(words, { timeout: 100 });
    }).toPass({ timeout: 30_000 });
  await configurator.open("sending-mode");
  await page.locator("#mode-own").check();
  await configurator.button("Enregistrer").click();
  await configurator.open();
  await begin(page, configurator);
  await signIn(page, configurator, "revoque");
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  // Its provider withdraws the permission after the first message: the test's.
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
  await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
  await page.getByRole("button", { name: "Envoyer D-2041" }).click();
  await configurator.open();
  await expect(async () => {
    await page.reload();
    await expect(page.locator("[data-cause=oauth_reconnect]")).toBeVisible({ timeout: 100 });
  }).toPass({ timeout: 30_000 });
  expect((await demo.inbox()).length).toBe(1);
  await signIn(page, configurator, "revoque", page.locator("[data-cause=oauth_reconnect]").getByRole("button", { name: "Se connecter avec Sandbox" }));
  await page.waitForURL(/profiles\?selected=/);
  await shows("D-2041", /(?<!non |peut-être )envoyé$/);
});

test("in a portal's frame, and the portal hears that a profile was saved @wasm", async ({ page, demo }) => {
  await page.addInitScript(() => {
    const heard: string[] = ((window as any).heard = []);
    addEventListener("profile-saved", () => heard.push("profile-saved"));
  });
  await page.goto(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  const frame = page.frameLocator("smtp-configurator iframe");
  await frame.getByRole("link", { name: /suivant ce lien/ }).or(frame.getByRole("link", { name: "Profils SMTP" })).first().click();
  await frame.getByRole("link", { name: "Ajouter", exact: true }).click();
  await frame.locator(".search.shown").waitFor();
  await frame.getByRole("radio", { name: "Bac à sable (sandbox)", exact: true }).check();
  const opens = page.waitForEvent("popup");
  await frame.getByRole("button", { name: "Se connecter avec Sandbox" }).click();
  const window = await opens;
  await window.waitForURL(/authorize/);
  await window.locator("button[value=accept]").click();
  await window.waitForURL(/oauth\/done/);
  await window.close();
  await expect(frame.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible({ timeout: 15_000 });
  await expect.poll(() => page.evaluate(() => (window as any).heard)).toContain("profile-saved");
  await frame.locator("#content .actions").getByRole("button", { name: "Valider" }).click();
  await frame.getByRole("button", { name: "Tester" }).click();
  await expect(frame.locator("[data-verdict]")).toHaveAttribute("data-verdict", "accepted", { timeout: 30_000 });
});
