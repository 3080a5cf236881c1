// Suspicious input is reported before anything is sent, and never blocks: while typing, and again when it is saved.
import type { Page } from "@playwright/test";
import { expect, test } from "./demo";

const secret = (page: Page) => page.getByLabel("Mot de passe SMTP", { exact: true });

test("the form warns while it is typed @wasm", async ({ page, configurator }) => {
  await configurator.open();
  await configurator.add();
  const warned = page.locator(".warn:not(:empty)");
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await expect(warned).toHaveCount(0);
  // The encryption and the port.
  await page.getByRole("radio", { name: "STARTTLS", exact: true }).check();
  await expect(page.getByText("D’habitude, le port 465 va avec SSL/TLS")).toBeVisible();
  await page.getByRole("radio", { name: "SSL/TLS", exact: true }).check();
  await expect(warned).toHaveCount(0);
  // An address of another provider.
  await page.getByLabel("Identifiant SMTP").fill("claire@orange.fr");
  await expect(page.locator("#w-other")).toHaveText(/Cette adresse est chez Orange.*, mais le serveur est celui de Gmail\./);
  // The proposal under the field says it already, with the button that follows it.
  await expect(page.locator("#at-login")).toContainText("Cette adresse est chez Orange");
  await expect(page.locator("#w-other")).toBeHidden();
  await page.getByLabel("Identifiant SMTP").fill("claire@gmail.com");
  await expect(warned).toHaveCount(0);
  // The account's own password: sixteen letters may still become one, a digit cannot.
  await secret(page).fill("abcdefgh");
  await expect(warned).toHaveCount(0);
  await secret(page).fill("Soleil2024");
  await expect(page.getByText("Cela ressemble au mot de passe de votre messagerie. Gmail demande ici un mot de passe d’application.")).toBeVisible();
  await secret(page).fill("abcdefghijklmnop");
  await expect(warned).toHaveCount(0);
  // A dash from a word processor.
  await page.getByRole("radio", { name: "Autre serveur" }).check();
  await secret(page).fill("mot–de–passe");
  await expect(page.getByText("un caractère qui ressemble à un autre")).toBeVisible();
});

test("the end of Microsoft's passwords is shown with its dates, also when its server is typed by hand @wasm", async ({ page, configurator }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.office365.com");
  await page.getByLabel("Adresse du serveur SMTP").blur();
  await expect(page.locator("#guide")).toContainText("fin décembre 2026");
  await page.getByLabel("Identifiant SMTP").fill("claire@exemple.fr");
  await page.getByLabel("Adresse de l’expéditeur").fill("devis@exemple.fr");
  await expect(page.getByText("n’accepte comme expéditeur que l’adresse de l’identifiant")).toBeVisible();
});

test("a warning does not block, and is shown again when the profile is saved", async ({ page, configurator }) => {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset("Gmail");
  await page.getByLabel("Identifiant SMTP").fill("claire@gmail.com");
  await secret(page).fill("court");
  await configurator.validateButton().click();
  await expect(page.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible();
  const notice = page.locator(".notice.warning");
  await expect(notice).toContainText("Profil enregistré. À vérifier avant de tester");
  await expect(notice).toContainText("Gmail demande ici un mot de passe d’application");
  await notice.getByRole("link", { name: "Corriger le profil" }).click();
  await page.waitForURL(/profiles\/edit/);
  await configurator.ready();
  await secret(page).fill("abcd efgh ijkl mnop");
  await configurator.validateButton().click();
  await expect(page.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible();
  await expect(page.locator(".notice.warning")).toHaveCount(0);
});
