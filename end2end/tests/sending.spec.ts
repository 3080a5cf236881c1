// Messages sent through a profile: the portal's quotes, their outcomes, and the owner's decisions about them.
import { expect, test } from "./demo";

async function chooseOwnServer(page: import("@playwright/test").Page, configurator: import("./configurator").Configurator) {
  await configurator.open("sending-mode");
  await page.locator("#mode-own").check();
  await page.getByRole("button", { name: "Enregistrer", exact: true }).click();
  await expect(page.getByText("Le mode d’envoi est enregistré.")).toBeVisible();
}

test("a quote leaves through the portal's server, then through the account's own, under its name", async ({ configurator, page, demo }) => {
  const quote = (number: string) => page.getByRole("row", { name: new RegExp(number) });
  const send = async (number: string) => {
    await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
    await page.getByRole("button", { name: `Envoyer ${number}` }).click();
    await expect(async () => {
      await page.reload();
      await expect(quote(number)).toContainText(/(?<!non |peut-être )envoyé$/, { timeout: 100 });
    }).toPass({ timeout: 20_000 });
  };
  // The account chooses its own servers before there is one: the portal's server replaces it, and the page says so.
  await chooseOwnServer(page, configurator);
  await expect(page.getByText("Aucun compte SMTP n’est prêt : en attendant")).toBeVisible();
  await send("D-2041");
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await send("D-2040");
  const mails = await demo.inbox();
  const of = (number: string) => mails.find((mail) => mail.subject === `Votre devis ${number}`)!;
  expect(of("D-2041").from).toBe("Comptoir <ne-pas-repondre@sandbox.example>");
  expect(of("D-2040").from).toContain("boutique@sandbox.example");
  expect(of("D-2040").raw).toContain("devis-D-2040.txt");
  await configurator.open();
  await expect(page.locator(".profile")).toContainText("Envoie – dernier message à l’instant");
});

test("a failure of a real message shows in the list and with its card; the page keeps what was typed", async ({ configurator, page, demo }) => {
  await chooseOwnServer(page, configurator);
  await configurator.open();
  await configurator.addPersona("mot-de-passe@sandbox.example");
  for (const number of ["D-2041", "D-2040"]) {
    await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
    await page.getByRole("button", { name: `Envoyer ${number}` }).click();
    await expect(async () => {
      await page.reload();
      await expect(page.getByRole("row", { name: new RegExp(number) })).toContainText("non envoyé", { timeout: 100 });
    }).toPass({ timeout: 20_000 });
  }
  await configurator.open();
  await expect(page.locator(".profile .badge.bad")).toContainText("Dernier envoi échoué");
  // What to do about a profile that should send is open.
  await expect(page.getByText("Que faire pour mot-de-passe@sandbox.example")).toBeVisible();
  await expect(page.locator("[data-cause=bad_credentials]")).toBeVisible();
  await configurator.more("Envois");
  await expect(configurator.heading("Envois de ce profil")).toBeVisible();
  await expect(page.locator("[data-cause=bad_credentials]")).toBeVisible();
  // The sent messages, under the state of the profile: masked, with their cause, and counted.
  await expect(page.getByRole("img", { name: /Envois jour par jour.* 0 acceptés par le serveur, 2 non acceptés/ })).toBeVisible();
  const last = page.getByRole("table").filter({ hasText: "Non envoyé" }).getByRole("row").nth(1);
  await expect(last).toContainText(/\d{4}\sà\s\d\d:\d\d(?!\sUTC)/);
  await expect(last).toContainText(/…@\S+/);
  await expect(last).toContainText("Non envoyé");
  await page.getByText("Voir les chiffres").click();
  await expect(page.getByRole("table").filter({ hasText: "Jour (UTC)" }).getByRole("row")).toHaveCount(2);
  await page.getByText("Avancé").click();
  await page.getByLabel("Messages par minute").fill("abc");
  await page.getByLabel("Messages par jour").fill("500");
  await page.getByLabel("Vérifier la connexion toutes les heures").check();
  await page.getByRole("button", { name: "Enregistrer", exact: true }).click();
  await expect(page.getByText("Un nombre entier de 1 à 6").first()).toBeVisible();
  await expect(page.getByLabel("Messages par jour")).toHaveValue("500");
  await expect(page.getByLabel("Messages par minute")).toHaveValue("abc");
  await expect(page.getByLabel("Vérifier la connexion toutes les heures")).toBeChecked();
  await page.getByLabel("Messages par minute").fill("30");
  await page.getByLabel(/En cas d’échec, envoyer par le serveur de Comptoir/).check();
  await page.getByRole("button", { name: "Enregistrer", exact: true }).click();
  await expect(page.getByText("Réglages d’envoi enregistrés pour mot-de-passe@sandbox.example.")).toBeVisible();
  await configurator.more("Envois");
  await expect(page.getByLabel("Messages par minute")).toHaveValue("30");
  // From now on the relay replaces it, and the failure stays visible.
  await page.goto(`${demo.portal}/boulangerie-martin?lang=fr`);
  await page.getByRole("button", { name: "Envoyer D-2041" }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("row", { name: /D-2041/ })).toContainText(/(?<!non )envoyé$/, { timeout: 100 });
  }).toPass({ timeout: 20_000 });
  await configurator.open();
  await expect(page.locator(".profile .badge.bad")).toBeVisible();
  await page.goto(`${demo.configurator}/history`);
  await expect(page.getByText("Réglages d’envoi d’un profil modifiés")).toBeVisible();
});

test("another account's sending page does not exist", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  await configurator.open("profiles", "velo-dubois");
  expect((await page.goto(`${demo.configurator}/profiles/sending?id=${id}`))!.status()).toBe(404);
});

test("the API's reference is readable without anything", async ({ page, demo }) => {
  await page.goto(`${demo.configurator}/api`);
  await expect(page.getByRole("heading", { name: "Send a message", exact: true })).toBeVisible();
  expect((await (await page.request.get(`${demo.configurator}/api/openapi.json`)).json()).openapi).toBe("3.1.0");
});
