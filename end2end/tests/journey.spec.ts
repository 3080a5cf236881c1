// The printed tutorial, word by word.
import { PASSWORD } from "./configurator";
import { expect, test } from "./demo";

test("the account owner's eight steps", async ({ page, demo, configurator, javaScriptEnabled }) => {
  const withWasm = javaScriptEnabled !== false;
  // 1. The portal: +, Paramètres, Mode d'envoi des emails.
  await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
  await page.locator("summary", { hasText: "+" }).click();
  await page.getByRole("link", { name: "Paramètres" }).click();
  await page.getByRole("link", { name: "Mode d’envoi des emails" }).click();
  await page.getByRole("link", { name: "Ouvrir dans une page" }).click();
  if (!withWasm) await page.getByRole("button", { name: "Ouvrir le configurateur" }).click();
  await page.waitForURL(`${demo.configurator}/sending-mode`);
  await page.getByRole("radio", { name: "Par vos propres comptes SMTP" }).check();
  // 2. The link saves the choice and opens the list; Ajouter. Enregistrer was not pressed.
  await page
    .getByRole("link", { name: "Si vous choisissez cette option, vous devez paramétrer vos comptes SMTP en suivant ce lien" })
    .click();
  await expect(page.getByText("Configurateur SMTP", { exact: true })).toBeVisible();
  await expect(page.getByText("Le mode d’envoi est enregistré : par vos propres comptes SMTP.")).toBeVisible();
  await expect(page.getByText("Aucun compte SMTP n’est prêt : en attendant, vos emails partent par le serveur de Comptoir.")).toBeVisible();
  await configurator.add();
  // 3. Choosing Gmail fills server, port and encryption.
  await expect(page.getByRole("group", { name: "Vous pouvez choisir une configuration pré-saisie (optionnel)" })).toBeVisible();
  await configurator.choosePreset("Gmail");
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.gmail.com");
  await expect(page.getByLabel("Numéro de port")).toHaveValue("465");
  await expect(page.getByRole("radio", { name: "SSL/TLS" })).toBeChecked();
  await expect(page.locator("#guide")).toContainText("mot de passe d’application");
  await expect(page.locator("#guide")).toContainText("clés de sécurité");
  await configurator.choosePreset("Bac à sable (sandbox)");
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.sandbox.example");
  // 4. Vos Informations: magasin by default.
  await expect(page.getByRole("group", { name: "Vos Informations" })).toBeVisible();
  await expect(page.getByLabel("Compte utilisateur").locator("option:checked")).toHaveText("magasin");
  await expect(page.getByLabel("Compte utilisateur").locator("option")).toHaveText(["magasin", "Claire Martin", "Karim Haddad"]);
  // 5. and 6. Login, password, the eye.
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  if (withWasm) {
    await page.getByRole("button", { name: "Afficher le mot de passe" }).click();
    await expect(page.getByLabel("Mot de passe SMTP", { exact: true })).toHaveValue("abcdefghijklmnop");
    await expect(page.getByText("3 caractères en trop retirés.")).toBeVisible();
  }
  // 7. Valider, Encodage SMTP is UTF-8, Valider.
  await configurator.validateButton().click();
  await expect(page.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible();
  if (!withWasm) await expect(page.getByText("3 caractères en trop ont été retirés du mot de passe")).toBeVisible();
  await expect(page.getByRole("radio", { name: "UTF-8" })).toBeChecked();
  await configurator.validateButton().click();
  await expect(page.getByRole("radio", { name: /magasin/ })).toBeChecked();
  await expect(page.getByText("jamais testé")).toBeVisible();
  // 8. Tester.
  const card = await configurator.test();
  await expect(card).toHaveAttribute("data-verdict", "accepted");
  await expect(card).toContainText("claire@boulangerie-martin.example");
  await expect(page.getByText("Les emails de « magasin » partent par ce profil.")).toBeVisible();
  for (const phase of ["Joindre le serveur", "Sécuriser la connexion", "Se connecter", "Envoyer le message"]) {
    await expect(page.locator(".phase.ok .name", { hasText: phase })).toBeVisible();
  }
  await page.getByText("Détails techniques").filter({ visible: true }).click();
  const stages = ["Adresse du serveur", "Connexion au serveur", "Connexion chiffrée", "Accueil du serveur", "Fonctions du serveur", "Identifiant et mot de passe", "Adresse de l’expéditeur", "Adresse du destinataire", "Envoi du message"];
  for (const stage of stages) await expect(page.locator(".stage.ok .name", { hasText: stage })).toBeVisible();
  const [mail] = await demo.inbox();
  expect(mail.to).toBe("claire@boulangerie-martin.example");
  expect(mail.from).toBe("Boulangerie Martin <boutique@sandbox.example>");
  expect(mail.subject).toContain("smtp.sandbox.example");
  expect(mail.text).toContain("boutique@sandbox.example");
  expect(mail.html).toContain("Boulangerie Martin");
  // In the colours of the pages: the demo's portal gives its own.
  const brand = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--brand"));
  expect(mail.html).toContain(/#[0-9a-f]{6}/.exec(brand)![0]);
  await configurator.open("profiles");
  await expect(page.getByText("Accepté par le serveur à l’instant, réception à confirmer")).toBeVisible();
  await configurator.open("sending-mode");
  await expect(page.getByText("Aucun compte SMTP n’est prêt")).toBeHidden();
  await expect(page.getByRole("radio", { name: "Par vos propres comptes SMTP" })).toBeChecked();
  // And a message of the portal is sent through it.
  await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
  await page.getByRole("button", { name: "Envoyer D-2041" }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("row", { name: /D-2041/ })).toContainText(/(?<!non |peut-être )envoyé$/, { timeout: 100 });
  }).toPass({ timeout: 20_000 });
  expect((await demo.inbox()).find((mail) => mail.subject === "Votre devis D-2041")!.from).toContain("boutique@sandbox.example");
  // Nothing of the password is kept in clear, on disk or in the logs.
  const kept = demo.everythingKept();
  const login = "boutique@sandbox.example";
  for (const form of ["abcdefghijklmnop", PASSWORD, btoa("abcdefghijklmnop"), btoa(`\0${login}\0abcdefghijklmnop`).slice(0, 40)]) {
    expect(kept.includes(form), form).toBe(false);
  }
});

test("the same in English, in a frame of the portal @wasm", async ({ page, demo }) => {
  await page.goto(`${demo.portal}/velo-dubois/settings/sending?lang=en`);
  const frame = page.frameLocator("iframe");
  await expect(frame.getByRole("heading", { name: "How emails are sent" })).toBeVisible();
  await frame.getByRole("link", { name: /you must set up your SMTP accounts by following this link/ }).click();
  await frame.getByRole("link", { name: "Add", exact: true }).click();
  await frame.getByRole("radio", { name: "Bac à sable" }).check();
  await expect(frame.getByLabel("SMTP server address")).toHaveValue("smtp.sandbox.example");
  await frame.getByLabel("SMTP username").fill("boutique@sandbox.example");
  await frame.getByLabel("SMTP password", { exact: true }).fill(PASSWORD);
  await frame.locator("#content .actions").getByRole("button", { name: "Save and continue" }).click();
  await expect(frame.getByRole("heading", { name: "SMTP encoding" })).toBeVisible();
  await frame.locator("#content .actions").getByRole("button", { name: "Save and continue" }).click();
  await frame.getByRole("button", { name: "Test", exact: true }).click();
  await expect(frame.getByRole("heading", { name: "It works: the server accepted the message" })).toBeVisible();
  expect((await demo.inbox())[0].subject).toContain("Test passed");
});

test("a mail leaves in the chosen character set", async ({ demo, configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  for (const charset of ["ISO-8859-1", "ISO-8859-15", "windows-1252"]) {
    await configurator.button("Modifier").click();
    await configurator.ready();
    await configurator.validateButton().click();
    await page.getByRole("radio", { name: charset, exact: true }).check();
    await configurator.validateButton().click();
    await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
    const [mail] = await demo.inbox();
    expect(mail.charset.toLowerCase()).toBe(charset.toLowerCase());
    expect(mail.text).toContain("Bonjour");
    await configurator.open();
  }
});
