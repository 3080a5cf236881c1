// What a shop owner meets after the first setup: a typing error is corrected, a test fails, a code is entered later.
import { IN_USE } from "./configurator";
import { expect, test } from "./demo";

const own = /en suivant ce lien/;

test("correcting the login corrects the empty sender", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutqiue@sandbox.example");
  await configurator.button("Modifier").click();
  await configurator.ready();
  await expect(page.getByLabel("Adresse de l’expéditeur")).toHaveValue("");
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await configurator.secretInput().fill("abcd efgh ijkl mnop");
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  await expect(page.locator(".profile")).not.toContainText("boutqiue@");
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
  expect((await demo.inbox())[0].from).toContain("boutique@sandbox.example");
});

test("a login without a domain is reported at the login, and not at the sender", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  if (!configurator.scripted) await configurator.button("Remplir les champs").click();
  await page.getByLabel("Identifiant SMTP").fill("boutique");
  await configurator.secretInput().fill("abcd efgh ijkl mnop");
  await configurator.validateButton().click();
  await expect(page.locator("#login-fault")).toHaveText(/l’identifiant est votre adresse email complète/);
  await expect(page.locator("#sender_address-fault")).toHaveText("");
  await page.getByLabel("Identifiant SMTP").fill("boutique@gmail.com");
  await configurator.secretInput().fill("abcd efgh ijkl mnop");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
});

test("the error of a sender disappears when the login is corrected @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("mail.exemple.fr");
  await page.getByLabel("Numéro de port").fill("465");
  await page.getByLabel("Identifiant SMTP").fill("boutique");
  await configurator.secretInput().fill("abcd efgh ijkl mnop");
  await configurator.validateButton().click();
  await expect(page.locator("#sender_address-fault")).toContainText("saisissez ici l’adresse de l’expéditeur");
  await page.getByLabel("Identifiant SMTP").fill("boutique@exemple.fr");
  await expect(page.locator("#sender_address-fault")).toHaveText("");
  await expect(page.locator("#sender_address")).not.toHaveAttribute("aria-invalid", "true");
});

test("a profile that failed before it ever sent: the page names the portal's server, which sends", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("application@sandbox.example");
  await configurator.test();
  await configurator.open("sending-mode");
  await page.getByRole("button", { name: own }).or(page.getByRole("link", { name: own })).click();
  const said = page.getByText("Le dernier test de application@sandbox.example a échoué : en attendant, vos emails partent par le serveur de Comptoir.");
  await expect(said).toBeVisible();
  await configurator.open("sending-mode");
  await expect(said).toBeVisible();
  await expect(page.getByText("partent par le profil")).toHaveCount(0);
});

test("Utiliser on a profile whose test failed asks first", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.addPersona("application@sandbox.example");
  const row = (address: string) => page.locator(".profile", { hasText: address });
  await row("application@").getByRole("radio").check();
  await configurator.test();
  await configurator.open();
  // Selected at first: the profile that sends.
  await expect(row("boutique@").getByRole("radio")).toBeChecked();
  await row("application@").getByRole("radio").check();
  await configurator.button("Utiliser").click();
  await expect(configurator.heading("Utiliser ce profil quand même ?")).toBeVisible();
  await expect(page.getByText(/Le dernier test de application@sandbox\.example a échoué \(.+\)\./)).toBeVisible();
  await expect(row("boutique@")).toContainText(IN_USE);
  await configurator.button("Tester d’abord").click();
  await page.locator("[data-verdict=failed]").waitFor({ timeout: 45_000 });
  await configurator.open();
  await expect(row("boutique@")).toContainText(IN_USE);
  await row("application@").getByRole("radio").check();
  await configurator.button("Utiliser").click();
  await configurator.button("Utiliser quand même").click();
  await expect(page.getByText("Ce profil est choisi, mais il ne peut pas encore envoyer")).toBeVisible();
  await expect(row("application@")).toContainText(IN_USE);
});

test("the verdict answers what was said before the test @wasm", async ({ configurator, page }) => {
  await configurator.open("sending-mode");
  await page.getByRole("button", { name: own }).or(page.getByRole("link", { name: own })).click();
  await configurator.addPersona("boutique@sandbox.example");
  await expect(page.getByText("Testez-le pour savoir s’il envoie.")).toBeVisible();
  await expect(page.getByText("qui n’a pas encore été testé")).toBeVisible();
  await configurator.test();
  await expect(page.getByText("Les emails de « magasin » partent par ce profil.")).toBeVisible();
  await expect(page.getByText("Testez-le pour savoir s’il envoie.")).toHaveCount(0);
  await expect(page.getByText("qui n’a pas encore été testé")).toHaveCount(0);
  await page.reload();
  await expect(page.getByText("Testez-le pour savoir s’il envoie.")).toHaveCount(0);
  // Another one fails while it is in use: the list shows it.
  await configurator.addPersona("application@sandbox.example");
  await configurator.button("Utiliser").click();
  await expect(page.getByText("application@sandbox.example, qui n’a pas encore été testé")).toBeVisible();
  await configurator.button("Tester ce profil").click();
  await page.locator("[data-verdict=failed]").waitFor({ timeout: 45_000 });
  await expect(page.getByText("Le dernier test de application@sandbox.example a échoué")).toBeVisible();
});

test("a user who returns with the code finds its field in the list", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.test();
  await configurator.open();
  await expect(page.getByText("Test de boutique@sandbox.example")).toBeVisible();
  const code = /code[^\d]*(\d{3}) ?(\d{3})/i.exec((await demo.inbox())[0].text)!;
  await page.getByLabel("Code reçu").fill(code[1] + code[2]);
  await page.getByRole("button", { name: "Confirmer la réception" }).click();
  await expect(page.getByText("La réception est confirmée")).toHaveCount(1);
  await expect(page.getByLabel("Code reçu")).toHaveCount(0);
});

test("another name of the sender keeps the proof", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.test();
  await configurator.open();
  await configurator.button("Modifier").click();
  await configurator.ready();
  await page.getByLabel("Nom de l’expéditeur").fill("Boulangerie Martin et Fils");
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  await expect(page.locator(".profile")).toContainText("réception à confirmer");
});

test("the password's hint follows the server and the login", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.button("Modifier").click();
  await configurator.ready();
  const keep = page.getByText("Laissez le champ vide pour le garder.");
  await expect(keep).toBeVisible();
  await page.getByLabel("Identifiant SMTP").fill("autre@sandbox.example");
  if (!configurator.scripted) await configurator.validateButton().click();
  await expect(page.getByText("Vous avez changé l’identifiant : saisissez son mot de passe.")).toBeVisible();
  await expect(keep).toBeHidden();
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await configurator.choosePreset("Orange / Wanadoo");
  await expect(page.getByText("Vous avez changé le serveur : saisissez le mot de passe de smtp.orange.fr.")).toBeVisible();
  await expect(keep).toBeHidden();
});

test("a change that is not saved is offered under the saved name @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.button("Modifier").click();
  await configurator.ready();
  const kept = page.waitForResponse((response) => response.url().includes("/api/profiles/check"));
  await page.getByLabel("Identifiant SMTP").fill("autre@sandbox.example");
  await page.getByLabel("Numéro de port").focus();
  await kept;
  await configurator.open();
  await expect(page.getByText("Le profil boutique@sandbox.example a des changements non enregistrés.")).toBeVisible();
  await expect(page.getByText("autre@sandbox.example")).toHaveCount(0);
});

test("the search understands what people type @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const search = page.getByLabel("Votre fournisseur ou votre adresse email");
  for (const [typed, name] of [
    ["google", "Gmail"],
    ["office", "Microsoft 365"],
    ["orange.fr", "Orange / Wanadoo"],
    ["boutique@gmail.com", "Gmail"],
    // Neither is in the page: the server is asked.
    ["wanadoo.fr", "Orange / Wanadoo"],
    ["claire@noos.fr", "SFR / Numericable"],
    ["numéricable", "SFR / Numericable"],
    ["hotmial", "Outlook.com / Hotmail"],
    ["otlook", "Outlook.com / Hotmail"],
    ["bac a sable", "Bac à sable (sandbox)"],
    ["sable bac", "Bac à sable (sandbox)"],
  ]) {
    await search.fill(typed);
    await expect(page.locator(".card-choice:not([hidden]) span", { hasText: name }).first(), typed).toBeVisible();
    await expect(page.getByText("Aucun fournisseur de ce nom"), typed).toHaveCount(0);
  }
  await search.fill("personne");
  await expect(page.getByText("Aucun fournisseur de ce nom")).toBeVisible();
});

test("while a test runs, the button that stops it is in sight @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  await page.setViewportSize({ width: 390, height: 420 });
  await configurator.button("Tester").click();
  const stop = configurator.button("Arrêter");
  await expect(page.locator(".panel .stages > *").nth(2)).toBeAttached({ timeout: 30_000 });
  await expect(stop).toBeInViewport();
  await stop.click();
});

test("a server that does not exist: the one it was meant for is proposed", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example", { host: "smtp.sandbx.example" });
  const card = await configurator.test();
  await expect(card).toContainText("Vouliez-vous dire smtp.sandbox.example ?");
  await card.getByRole("link", { name: "Corriger l’adresse du serveur" }).click();
  await configurator.ready();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.sandbox.example");
});
