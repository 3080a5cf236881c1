// Each persona of the sandbox leads to its own card.
import { PASSWORD } from "./configurator";
import { expect, test } from "./demo";

const PERSONAS: [login: string, cause: string, title: RegExp][] = [
  ["mot-de-passe", "bad_credentials", /Identifiant ou mot de passe refusé/],
  ["application", "app_password_required", /Il faut un mot de passe d’application/],
  ["sans-basic", "basic_auth_disabled", /n’accepte plus de mot de passe/],
  ["smtp-coupe", "smtp_auth_disabled", /désactivé pour cette boîte/],
  ["bloque", "login_blocked", /bloquée par sécurité/],
  ["expediteur", "sender_rejected", /Adresse de l’expéditeur refusée/],
  ["liste-grise", "greylisted", /réessayer plus tard/],
  ["cadence", "rate_limited", /Trop d’envois/],
  ["quota", "quota_exceeded", /Limite d’envoi/],
  ["boite-pleine", "recipient_mailbox_full", /boîte du destinataire est pleine/],
  ["indesirable", "message_rejected", /Message refusé/],
  ["mal-compose", "message_malformed", /Message non conforme/],
  ["une-session", "session_limit", /Limite par connexion atteinte/],
  ["detourne", "wrong_server", /Un autre serveur a répondu à la place/],
];

for (const [login, cause, title] of PERSONAS) {
  test(`persona ${login}: ${cause}`, async ({ configurator, page }) => {
    await configurator.open();
    await configurator.addPersona(`${login}@sandbox.example`);
    const card = await configurator.test();
    await expect(card).toHaveAttribute("data-cause", cause);
    await expect(card.getByRole("heading", { name: title })).toBeVisible();
    await expect(card.locator("samp")).not.toBeEmpty();
    await expect(page.locator("body")).not.toContainText("abcdefghijklmnop");
  });
}

const HOSTS: [host: string, cause: string][] = [
  ["other-name", "cert_name_mismatch"],
  ["expired", "cert_expired"],
  ["unknown-issuer", "cert_untrusted"],
];

for (const [host, cause] of HOSTS) {
  test(`host ${host}: ${cause}`, async ({ configurator }) => {
    await configurator.open();
      await configurator.addPersona("boutique@sandbox.example", { host: `${host}.sandbox.example` });
    await expect(await configurator.test()).toHaveAttribute("data-cause", cause);
  });
}

test("a server that hangs up after the message leaves the outcome open", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("coupe@sandbox.example");
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "delivery_unknown");
  await configurator.open();
  await expect(page.getByText("résultat incertain")).toBeVisible();
});

test("a silent server is given up within its ten seconds, and looked around within five more @wasm", async ({ configurator }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example", { host: "silence.sandbox.example" });
  const began = Date.now();
  await expect(await configurator.test()).toHaveAttribute("data-cause", "timeout");
  expect(Date.now() - began).toBeLessThan(16_000);
});

test("a failure is fixed and the profile works", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example", { password: "MonMotDePasse" });
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-cause", "bad_credentials");
  await card.getByRole("link", { name: "Modifier le profil" }).click();
  await configurator.ready();
  await expect(page.getByText("Un mot de passe est enregistré")).toBeVisible();
  if (configurator.scripted) await expect(page.getByLabel("Mot de passe SMTP", { exact: true })).toBeFocused();
  await expect(page.getByLabel("Mot de passe SMTP", { exact: true })).toHaveValue("");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await expect(page.getByText("à retester")).toBeVisible();
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

test("three refused passwords stop further attempts", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("mot-de-passe@sandbox.example");
  for (let attempt = 0; attempt < 3; attempt++) {
    await configurator.test();
    await configurator.open();
  }
  await configurator.button("Tester").click();
  await expect(page.getByText("a refusé ce mot de passe trois fois de suite")).toBeVisible();
});

test("a refused password is typed again where that is read", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example", { password: "not-this-one-9999" });
  await expect(await configurator.test()).toHaveAttribute("data-cause", "bad_credentials");
  const card = page.locator("[data-verdict]");
  await card.getByLabel("Mot de passe SMTP").fill(PASSWORD);
  if (configurator.scripted) {
    await card.getByRole("button", { name: "Afficher le mot de passe" }).click();
    await expect(card.getByLabel("Mot de passe SMTP")).toHaveAttribute("type", "text");
  }
  await card.getByRole("button", { name: "Enregistrer et retester" }).click();
  await expect(page.locator("[data-verdict=accepted]")).toBeVisible();
  expect(await demo.inbox()).toHaveLength(1);
  expect(demo.everythingKept()).not.toContain(PASSWORD.replaceAll(" ", ""));
});

test("the stages appear one by one @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  await configurator.button("Tester").click();
  await expect(page.locator(".phase.ok", { hasText: "Joindre le serveur" })).toBeVisible();
  await page.locator(".log summary").click();
  await expect(page.locator(".stage .name", { hasText: "Identifiant et mot de passe" })).toBeVisible();
  await expect(page.locator("[data-verdict]")).toHaveCount(0);
});

test("Arrêter stops the test @wasm", async ({ configurator, page, demo }) => {
  await configurator.open();
  // A server that sends nothing after the handshake: Arrêter works at any time.
  await configurator.addPersona("boutique@sandbox.example", { host: "silence.sandbox.example" });
  await configurator.button("Tester").click();
  await expect(page.locator(".phase.ok", { hasText: "Joindre le serveur" })).toBeVisible();
  await page.getByRole("button", { name: "Arrêter" }).click();
  await expect(page.getByText("Le test est arrêté.")).toBeVisible();
  await page.waitForTimeout(3_000);
  expect(await demo.inbox()).toHaveLength(0);
  await configurator.open();
  await expect(page.getByText("jamais testé")).toBeVisible();
});
