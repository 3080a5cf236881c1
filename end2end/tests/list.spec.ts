// The list: what can be done to a profile, and to whom it belongs.
import { expect, test } from "./demo";

test("duplicating never copies the secret; another profile can take over; deleting asks first", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await expect(page.locator(".profile", { hasText: "utilisé" })).toHaveCount(1);
  await configurator.button("Dupliquer").click();
  await expect(page.getByText("Le mot de passe n’est jamais copié")).toBeVisible();
  await expect(page.getByLabel("Identifiant SMTP")).toHaveValue("boutique@sandbox.example");
  await configurator.open();
  await expect(page.locator(".profile")).toHaveCount(2);
  const copy = page.locator(".profile", { hasText: "mot de passe à saisir" });
  await copy.getByRole("radio").check();
  await configurator.button("Tester").click();
  await expect(page.getByText("Ce profil n’a pas de mot de passe.")).toBeVisible();
  await copy.getByRole("radio").check();
  await configurator.button("Utiliser").click();
  await expect(page.getByText("Ce profil est maintenant celui qui envoie.")).toBeVisible();
  await expect(page.locator(".profile", { hasText: "utilisé" })).toHaveCount(1);
  await expect(copy).toContainText("utilisé");
  await configurator.button("Supprimer").click();
  await expect(page.getByText("prendra sa place")).toBeVisible();
  await page.getByRole("link", { name: "Annuler" }).click();
  await expect(page.locator(".profile")).toHaveCount(2);
  await copy.getByRole("radio").check();
  await configurator.button("Supprimer").click();
  await configurator.button("Supprimer").click();
  await expect(page.getByText("Le profil et son mot de passe sont supprimés.")).toBeVisible();
  await expect(page.locator(".profile")).toHaveCount(1);
  await expect(page.locator(".profile")).toContainText("utilisé");
});

test("two accounts are strangers to each other", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  await configurator.open("profiles", "velo-dubois");
  await expect(page.getByText("Aucun profil pour le moment.")).toBeVisible();
  for (const path of ["edit", "encoding", "delete", "report"]) {
    const response = await page.goto(`${demo.configurator}/profiles/${path}?id=${id}`);
    expect(response!.status(), path).toBe(404);
    await expect(page.getByText("n’existe pas, ou n’existe plus")).toBeVisible();
  }
});

test("an ended session says so and leads back", async ({ configurator, page, demo, context }) => {
  await configurator.open();
  await context.clearCookies();
  const response = await page.goto(`${demo.configurator}/profiles`);
  expect(response!.status()).toBe(401);
  await expect(page.getByRole("link", { name: "Retour au portail" }).first()).toHaveAttribute("href", new RegExp(demo.portal));
});

test("everything can be done with the keyboard alone @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.addPersona("application@sandbox.example");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Aller au contenu" })).toBeFocused();
  const radios = page.getByRole("radio");
  await radios.nth(1).focus();
  await page.keyboard.press("ArrowUp");
  await expect(radios.nth(0)).toBeChecked();
  await page.keyboard.press("Tab");
  await expect(configurator.button("Tester")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: /le serveur a accepté le message/ })).toBeFocused();
});

test("the message can go to the profile's own sender", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await page.getByLabel("Envoyer le message de test à").selectOption({ label: "l’adresse de l’expéditeur" });
  await configurator.test();
  expect((await demo.inbox())[0].to).toBe("boutique@sandbox.example");
});

test("the button is limited, and says when to come back @wasm", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  const press = () =>
    page.evaluate(async (id) => {
      const response = await fetch("/api/test/stream", { method: "POST", body: new URLSearchParams({ id, to: "me" }) });
      await response.text();
      return { status: response.status, retryAfter: Number(response.headers.get("retry-after")) };
    }, id!);
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) statuses.push((await press()).status);
  expect(statuses).toEqual(Array(12).fill(200));
  const { status, retryAfter } = await press();
  expect(status).toBe(429);
  expect(retryAfter).toBeGreaterThan(0);
  await configurator.button("Tester").click();
  await expect(page.getByText("Trop d’essais en peu de temps.")).toBeVisible();
  await configurator.open("profiles", "velo-dubois");
  await configurator.addPersona("boutique@sandbox.example");
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "accepted");
});

test("leaving the page stops the test @wasm", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  await configurator.button("Tester").click();
  await expect(page.locator(".stage").first()).toBeVisible();
  await page.goto(`${demo.configurator}/sending-mode`);
  await page.waitForTimeout(7_000);
  expect(await demo.inbox()).toHaveLength(0);
});
