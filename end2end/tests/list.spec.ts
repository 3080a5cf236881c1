// The list: the actions on a profile, and its owner.
import { IN_USE } from "./configurator";
import { expect, test } from "./demo";

test("duplicating never copies the secret; another profile can take over; deleting asks first", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await expect(page.locator(".profile", { hasText: IN_USE })).toHaveCount(1);
  await configurator.more("Dupliquer");
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
  // It cannot send, so the page asks first.
  await expect(configurator.heading("Utiliser ce profil quand même ?")).toBeVisible();
  await expect(copy).not.toContainText(IN_USE);
  await configurator.button("Utiliser quand même").click();
  await expect(page.getByText("Ce profil est choisi, mais il ne peut pas encore envoyer")).toBeVisible();
  await expect(page.locator(".profile", { hasText: IN_USE })).toHaveCount(1);
  await expect(copy).toContainText(IN_USE);
  await configurator.more("Supprimer");
  await expect(page.getByRole("group", { name: "Quel profil enverra pour « magasin » ?" })).toBeVisible();
  await expect(page.getByRole("radio", { name: /boutique@sandbox.example/ })).toBeChecked();
  await page.getByRole("link", { name: "Annuler" }).click();
  await expect(page.locator(".profile")).toHaveCount(2);
  await copy.getByRole("radio").check();
  await configurator.more("Supprimer");
  await configurator.button("Supprimer").click();
  await expect(page.getByText("Le profil et son mot de passe sont supprimés.")).toBeVisible();
  await expect(page.locator(".profile")).toHaveCount(1);
  await expect(page.locator(".profile")).toContainText(IN_USE);
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
  await expect(configurator.button("Tester")).toBeFocused();
  await configurator.addPersona("application@sandbox.example");
  // Opened again, nothing has the focus yet.
  await configurator.open();
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
  await expect(page.locator(".phase.running")).toBeVisible();
  // Not a page of the server: on a busy machine it may load after the message was sent.
  await page.goto("about:blank");
  await page.waitForTimeout(7_000);
  expect(await demo.inbox()).toHaveLength(0);
});

test("a profile that fails takes over only if its owner chooses it", async ({ configurator, page }) => {
  await configurator.open();
  for (const login of ["boutique@sandbox.example", "mot-de-passe@sandbox.example", "cle@sandbox.example"]) await configurator.addPersona(login);
  const row = (login: string) => page.locator(".profile", { hasText: login });
  // The second one, older than the third, is known to fail.
  await row("mot-de-passe").getByRole("radio").check();
  await configurator.test();
  await configurator.open();
  await row("boutique").getByRole("radio").check();
  await configurator.more("Supprimer");
  await expect(page.getByRole("radio", { name: /cle@sandbox.example/ })).toBeChecked();
  await configurator.button("Supprimer").click();
  const notice = page.getByRole("status").filter({ hasText: "cle@sandbox.example le remplace" });
  await expect(notice).toContainText("Jamais testé");
  await expect(row("cle@")).toContainText(IN_USE);
  // Only the failing one is left: none takes over automatically.
  await row("cle@").getByRole("radio").check();
  await configurator.more("Supprimer");
  await expect(page.getByText("Nous ne savons pas si un autre profil fonctionne")).toBeVisible();
  await expect(page.getByRole("radio", { name: "Aucun pour l’instant" })).toBeChecked();
  await configurator.button("Supprimer").click();
  await expect(page.getByText("Ses emails partent maintenant par le serveur du portail.")).toBeVisible();
  await expect(page.locator(".profile", { hasText: IN_USE })).toHaveCount(0);
});

test("where only a user has a profile in use, the pages say through what the shop’s mail leaves", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example", { user: "Karim Haddad" });
  await configurator.button("Envoyer par mes propres comptes SMTP").click();
  const said = page.getByText("Aucun profil n’est actif pour « magasin » : en attendant, ses emails partent par le serveur de Comptoir.");
  await expect(said).toBeVisible();
  await page.getByRole("navigation").getByRole("link", { name: "Mode d’envoi" }).click();
  await expect(said).toBeVisible();
  await page.getByRole("navigation").getByRole("link", { name: "Profils SMTP" }).click();
  await configurator.addPersona("boutique@sandbox.example");
  await expect(configurator.button("Tester")).toBeVisible();
  await expect(said).toHaveCount(0);
});

test("a test that went well says whether the profile sends, and the button lets it", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await expect(page.getByText("Vos emails partent par le serveur de Comptoir")).toBeVisible();
  await configurator.test();
  await expect(page.getByText("Le test a réussi, mais vos emails partent toujours par le serveur de Comptoir.")).toBeVisible();
  const code = /code[^\d]*(\d{3}) ?(\d{3})/i.exec((await demo.inbox())[0].text)!;
  await page.getByLabel("Code reçu").fill(code[1] + code[2]);
  await page.getByRole("button", { name: "Confirmer la réception" }).click();
  await expect(page.getByText("La réception est confirmée : ce profil fonctionne.")).toBeVisible();
  await expect(page.getByText("mais vos emails partent toujours par le serveur de Comptoir.")).toBeVisible();
  await page.getByRole("button", { name: "Utiliser ce profil" }).click();
  await expect(page.getByText(/^Vos emails partent maintenant par \S+@\S+\.$/)).toBeVisible();
  await configurator.open("sending-mode");
  await expect(page.getByRole("radio", { name: "Par vos propres comptes SMTP" })).toBeChecked();
});

test("Tester on another profile stops the one under way; Arrêter gives the focus back @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  await configurator.addPersona("boutique@sandbox.example");
  await page.locator(".profile", { hasText: "lent@" }).getByRole("radio").check();
  await configurator.button("Tester").click();
  await expect(page.locator(".phase.running")).toBeVisible();
  // The running test is not started again, and the page says so; the focus stays.
  await expect(configurator.button("Tester")).toHaveAttribute("aria-disabled", "true");
  await configurator.button("Tester").click({ force: true });
  await expect(page.locator(".panel")).not.toContainText("Le test précédent est arrêté");
  await expect(configurator.button("Tester")).toBeFocused();
  await page.locator(".profile", { hasText: "boutique@" }).getByRole("radio").check();
  await expect(configurator.button("Tester")).toHaveAttribute("aria-disabled", "false");
  await configurator.button("Tester").click();
  await expect(page.locator(".panel [data-verdict=accepted]")).toBeVisible();
  await expect(page.locator(".panel .tested")).toContainText("boutique@sandbox.example");
  // The end of the first one removes nothing.
  await page.waitForTimeout(1_500);
  await expect(page.locator(".panel [data-verdict=accepted]")).toBeVisible();
  await expect(page.locator(".panel")).not.toContainText("Le test est arrêté");
  await expect(page.locator(".profile", { hasText: "boutique@" })).toContainText("Accepté par le serveur");
  await expect(page.locator(".profile", { hasText: "lent@" })).toContainText("Jamais testé");
  await page.locator(".profile", { hasText: "lent@" }).getByRole("radio").check();
  await configurator.button("Tester").click();
  await page.getByRole("button", { name: "Arrêter" }).click();
  await expect(page.getByText("Le test est arrêté.")).toBeVisible();
  await expect(configurator.button("Tester")).toBeFocused();
});

test("a session that has ended says so under Tester, with the way back @wasm", async ({ configurator, page, context, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await context.clearCookies();
  await configurator.button("Tester").click();
  await expect(page.locator(".panel")).toContainText("Votre session est terminée");
  await expect(page.locator(".panel").getByRole("link", { name: "Retour au portail" })).toHaveAttribute("href", new RegExp(demo.portal));
});

test("a list that has changed meanwhile puts nothing in use", async ({ configurator, page, context }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.addPersona("cle@sandbox.example");
  const other = await context.newPage();
  await other.goto(page.url());
  await other.locator(".profile", { hasText: "cle@" }).getByRole("radio").check();
  await other.getByRole("button", { name: "Utiliser", exact: true }).click();
  // The offer of this page was already carried out: it is about an outdated list.
  await page.locator(".profile", { hasText: "cle@" }).getByRole("radio").check();
  const [response] = await Promise.all([page.waitForResponse((answer) => answer.url().includes("stale=1")), configurator.button("Utiliser").click()]);
  expect(response.status()).toBe(409);
  await expect(page.getByText("La liste a changé depuis l’affichage de cette page")).toBeVisible();
  await expect(page.locator(".profile", { hasText: IN_USE })).toContainText("cle@");
  await page.locator(".profile", { hasText: "boutique@" }).getByRole("radio").check();
  await configurator.button("Utiliser").click();
  await expect(page.locator(".profile", { hasText: IN_USE })).toContainText("boutique@");
});

test("after each step the focus is on what comes next", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill("abcdefghijklmnop");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await expect(page.getByText("Profil boutique@sandbox.example enregistré.")).toBeVisible();
  await expect(configurator.validateButton()).toBeFocused();
  await page.keyboard.press("Enter");
  await page.waitForURL(/profiles\?selected=/);
  await expect(page.getByText(/^Profil boutique@sandbox.example enregistré/)).toBeVisible();
  await expect(configurator.button("Tester")).toBeFocused();
});

test("a profile's name tells two of one address apart", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await page.getByRole("link", { name: "Modifier" }).or(configurator.button("Modifier")).first().click();
  await configurator.ready();
  await page.getByLabel("Nom du profil").fill("  Devis ");
  await configurator.validateButton().click();
  await expect(configurator.heading(configurator.words.encoding)).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/selected=/);
  const row = page.locator(".profile");
  await expect(row.locator("strong")).toHaveText("Devis");
  await expect(row).toContainText("boutique@sandbox.example");
  // Chosen, while the portal sends; in use, once its owner says so.
  await expect(row).toContainText("Par défaut");
  await configurator.more("Dupliquer");
  await configurator.ready();
  await expect(page.getByLabel("Nom du profil")).toHaveValue("");
  await page.goto(`${demo.configurator}/history`);
  await expect(page.locator(".history")).toContainText("Nom du profil");
});
