// The history: who did what and when.
import { expect, test } from "./demo";

test("the history folds a series of tests, and shows what is asked for", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  for (const _ of [1, 2, 3]) {
    await configurator.open();
    await configurator.test();
  }
  await configurator.open();
  await configurator.addPersona("cle@sandbox.example");
  await page.goto(`${demo.configurator}/history`);
  const rows = page.locator(".history > li");
  const series = rows.filter({ hasText: "3 tests, le dernier a réussi" });
  await expect(series).toHaveCount(1);
  await expect(series.getByText(/\d{4}\sà\s\d\d:\d\d$/).first()).toBeVisible();
  await series.getByText("Voir chaque test").click();
  await expect(series.getByRole("listitem")).toHaveCount(3);
  await page.getByLabel("Type d’action").selectOption({ label: "Tests" });
  await page.getByRole("button", { name: "Filtrer" }).click();
  await expect(rows).toHaveCount(1);
  await page.getByLabel("Type d’action").selectOption({ label: "Profils" });
  await page.getByLabel("Profil", { exact: true }).selectOption({ label: "cle@sandbox.example · smtp.sandbox.example" });
  await page.getByRole("button", { name: "Filtrer" }).click();
  await expect(rows.first()).toContainText("cle@sandbox.example");
  await expect(rows.filter({ hasText: "boutique@" })).toHaveCount(0);
  await page.getByLabel("Type d’action").selectOption({ label: "Sessions" });
  await page.getByRole("button", { name: "Filtrer" }).click();
  await expect(page.getByText("Aucune action ne correspond à ce choix.")).toBeVisible();
  await page.getByRole("link", { name: "Tout afficher" }).click();
  await expect(series).toHaveCount(1);
});
