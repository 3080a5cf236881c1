// Deleting a profile, and restoring it.
import { IN_USE } from "./configurator";
import { expect, test } from "./demo";

test("a deletion says who took over and is taken back, with the password and the test", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.test();
  await configurator.open();
  await configurator.addPersona("cle@sandbox.example");
  const row = (login: string) => page.locator(".profile", { hasText: login });
  const before = await row("boutique@").innerText();
  await row("boutique@").getByRole("radio").check();
  await configurator.more("Supprimer");
  await expect(page.getByText("Vous aurez dix secondes pour annuler.")).toBeVisible();
  await configurator.button("Supprimer").click();
  await expect(page.getByText("cle@sandbox.example le remplace")).toBeVisible();
  await expect(row("boutique@")).toHaveCount(0);
  await expect(row("cle@")).toContainText(IN_USE);
  await configurator.button("Annuler").click();
  await expect(page.getByText("Le profil boutique@sandbox.example est rétabli, avec son mot de passe.")).toBeVisible();
  await expect(row("boutique@")).toContainText(IN_USE);
  await expect(row("cle@")).not.toContainText(IN_USE);
  expect(await row("boutique@").innerText()).toBe(before);
  await page.goto(`${demo.configurator}/history`);
  await expect(page.locator(".history > li").first()).toContainText("Suppression annulée");
});

test("ten seconds after it a deletion is final", async ({ configurator, page }) => {
  await page.setViewportSize({ width: 390, height: 700 });
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.more("Supprimer");
  await configurator.button("Supprimer").click();
  await expect(configurator.button("Annuler")).toBeInViewport();
  const url = page.url();
  await page.waitForTimeout(11_000);
  await expect(configurator.button("Annuler")).toBeHidden();
  await page.goto(url);
  await expect(page.getByText("sont supprimés")).toBeVisible();
  await expect(configurator.button("Annuler")).toHaveCount(0);
});
