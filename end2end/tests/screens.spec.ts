// What a shop owner and a designer see: the header, the layout, and the texts about a message that may have been sent.
import type { FrameLocator, Page } from "@playwright/test";
import { expect, test } from "./demo";

const row = (page: Page, login: string) => page.locator(".profile", { hasText: login });
const cancel = (page: Page) => page.locator("#content .actions").getByRole("button", { name: "Annuler" });
const box = async (page: Page, selector: string) => (await page.locator(selector).first().boundingBox())!;

/** Creates profiles like a program, and shows the list with one of them selected. */
async function many(page: Page, count: number, selected: number) {
  await page.evaluate(async (count) => {
    for (let at = 1; at <= count; at++) {
      const login = `caisse${String(at).padStart(2, "0")}@sandbox.example`;
      const fields = { "draft[host]": "smtp.sandbox.example", "draft[port]": "465", "draft[security]": "tls", "draft[login]": login, secret: "abcdefghijklmnop" };
      const answer = await fetch("/api/profiles/save", { method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams(fields) });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    }
  }, count);
  await page.reload();
  const id = await page.locator(".profile input").nth(selected).getAttribute("value");
  await page.goto(`${new URL(page.url()).origin}/profiles?selected=${id}`);
}

test("the header is two lines on every page, and marks the page", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 700 });
    for (const [path, mark] of [["sending-mode", "Mode d’envoi"], ["profiles", "Profils SMTP"], [`profiles/edit?id=${id}`, "Profils SMTP"], ["history", "Historique"]]) {
      await page.goto(`${demo.configurator}/${path}`);
      await expect(page.locator(".top [aria-current]"), path).toHaveText([mark]);
      const [top, back, nav] = [await box(page, ".top"), await box(page, ".back"), await box(page, ".top nav")];
      expect(top.height, `${path} at ${width}`).toBeLessThan(96);
      expect(back.y + back.height, `${path} at ${width}`).toBeLessThanOrEqual(nav.y + 1);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${path} at ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

test("inside the portal's page the title stands once, and the way back is the portal's @wasm", async ({ page, demo }) => {
  await page.goto(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  const frame: FrameLocator = page.frameLocator("smtp-configurator iframe");
  await expect(frame.locator("nav [aria-current=page]")).toHaveText("Mode d’envoi");
  expect((await frame.getByRole("heading", { name: "Mode d’envoi des emails" }).boundingBox())!.height).toBeLessThan(2);
  await expect(frame.getByRole("link", { name: "Retour au portail" })).toHaveCount(0);
});

test("no address is broken inside a word, and nothing overflows, at 320 pixels", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.addPersona("cle@sandbox.example");
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  await page.setViewportSize({ width: 320, height: 700 });
  for (const path of ["profiles", `profiles/delete?id=${id}`, "profiles/new?preset=gmail", `profiles/sending?id=${id}`, `profiles/encoding?id=${id}`, `profiles/report?id=${id}`]) {
    await page.goto(`${demo.configurator}/${path}`);
    const broken = await page.evaluate(() => {
      const found: string[] = [];
      for (const place of document.querySelectorAll(".who strong, .owner, .server, .choice label, .guide a, .toolbar button")) {
        const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
        for (let text = walker.nextNode() as Text | null; text; text = walker.nextNode() as Text | null) {
          for (const word of text.data.matchAll(/[^\s\-·]+/g)) {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(word[0]);
          }
        }
      }
      return found;
    });
    expect(broken, path).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), path).toBeLessThanOrEqual(0);
  }
});

test("with thirty profiles the actions are beside the selected one @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await many(page, 30, 24);
  await expect(page.locator(".profile")).toHaveCount(30);
  for (const [width, height] of [[1280, 900], [320, 640]]) {
    await page.setViewportSize({ width, height });
    const url = page.url();
    // Otherwise the browser restores the scroll position.
    await page.goto("about:blank");
    await page.goto(url);
    const checked = page.locator(".profile:has(:checked)");
    await expect(checked).toContainText("caisse25@");
    await expect(configurator.button("Tester")).toBeInViewport({ ratio: 1 });
    const [row, toolbar] = [(await checked.boundingBox())!, await box(page, ".toolbar")];
    expect(toolbar.y, `${width}`).toBeCloseTo(row.y + row.height, -1);
  }
  // With the keyboard, the selected row is in view.
  await page.locator(".profile :checked").focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator(".profile:has(:checked)")).toContainText("caisse26@");
  await expect(page.locator(".profile:has(:checked)")).toBeInViewport();
  await expect(page.locator(".profile:has(:checked) + .toolbar")).toBeInViewport();
});

test("a profile in use needs no Utiliser, one that was never tested has no last test", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await expect(page.getByText("C’est le seul profil de cet utilisateur : il est donc actif.")).toBeVisible();
  await configurator.addPersona("cle@sandbox.example");
  await row(page, "boutique@").getByRole("radio").check();
  const more = page.locator(".more > summary");
  await more.click();
  await expect(configurator.button("Utiliser")).toBeHidden();
  await expect(configurator.button("Dernier test")).toBeHidden();
  await configurator.test();
  await configurator.open();
  await more.click();
  await row(page, "boutique@").getByRole("radio").check();
  await expect(configurator.button("Dernier test")).toBeVisible();
  await row(page, "cle@").getByRole("radio").check();
  await expect(configurator.button("Utiliser")).toBeVisible();
  await expect(configurator.button("Dernier test")).toBeHidden();
});

test("who may take over: the surest first, and no page without end", async ({ configurator, page, demo }) => {
  await configurator.open();
  await many(page, 12, 0);
  await configurator.more("Supprimer");
  await expect(page.getByRole("radio", { name: /caisse/ }).filter({ visible: true })).toHaveCount(8);
  await page.getByText("3 autres profils").click();
  await expect(page.getByRole("radio", { name: /caisse/ }).filter({ visible: true })).toHaveCount(11);
  await expect(page.getByRole("radio", { name: /smtp\.sandbox\.example:465/ })).toHaveCount(11);
  expect(demo.portal).toBeTruthy();
});

test("what is not known is not shown as a failure", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("coupe@sandbox.example");
  await expect(await configurator.test()).toHaveAttribute("data-verdict", "delivery_unknown");
  await expect(page.locator(".stage.unsure")).toHaveCount(1);
  await expect(page.locator(".stage.failed")).toHaveCount(0);
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  await page.goto(`${demo.configurator}/profiles/report?id=${id}`);
  await expect(page.locator(".stage.unsure")).toContainText("résultat inconnu");
  await page.goto(`${demo.configurator}/history`);
  await expect(page.locator(".history")).toContainText("Test au résultat incertain");
  await expect(page.locator(".history")).not.toContainText("Test réussi");
  await page.goto(`${demo.configurator}/profiles/report?id=${id}`);
  // A stage's name and its time do not touch.
  await page.getByText("Détails techniques").click();
  for (const stage of await page.locator(".stage").all()) {
    const [name, time] = [(await stage.locator(".name").boundingBox())!, (await stage.locator(".time").boundingBox())!];
    expect(time.x - (name.x + name.width)).toBeGreaterThanOrEqual(8);
  }
});

test("Arrêter once the message has left: it says so, and the code can be typed in @wasm", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  // Pressed as soon as the page knows that the message is being sent. Its texts are collected: on a busy machine the
  // result may follow at once.
  await page.evaluate(() => {
    const parse = JSON.parse;
    JSON.parse = (text: string) => {
      const line = parse(text);
      if (line.kind === "leaving") setTimeout(() => document.querySelector<HTMLElement>(".stop")!.click());
      return line;
    };
    const now = document.querySelector(".panel .now span")!;
    const note = (records: MutationRecord[]) =>
      records.forEach((record) => record.addedNodes.forEach((node) => now.setAttribute("data-said", `${now.getAttribute("data-said") ?? ""}${node.textContent}|`)));
    new MutationObserver(note).observe(now, { childList: true });
  });
  await configurator.button("Tester").click();
  await expect(page.getByLabel("Code reçu")).toBeVisible({ timeout: 40_000 });
  const said = await page.locator(".panel .now span").getAttribute("data-said");
  expect(said).toContain("le message est peut-être déjà parti");
  expect(said).not.toContain("Rien de plus n’a été envoyé");
  await expect(row(page, "lent@")).toContainText("Accepté par le serveur");
  expect(await demo.inbox()).toHaveLength(1);
});

test("leaving the page once the message has left: the row knows of it @wasm", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("lent@sandbox.example");
  await configurator.button("Tester").click();
  // On a busy machine the result may follow at once and replace the stages.
  const left = page.locator(".panel .stage", { hasText: "queued as" }).or(page.getByLabel("Code reçu"));
  await expect(left.first()).toBeAttached({ timeout: 40_000 });
  await page.goto(`${demo.configurator}/sending-mode`);
  await expect.poll(async () => {
    await page.goto(`${demo.configurator}/profiles`);
    return row(page, "lent@").textContent();
  }, { timeout: 30_000 }).toContain("Accepté par le serveur");
});

test("English is English, also in the live panel", async ({ configurator, page }) => {
  await configurator.open("profiles", "boulangerie-martin", "en");
  await configurator.addPersona("boutique@sandbox.example");
  await page.getByRole("button", { name: "Send through my own SMTP accounts" }).click();
  await configurator.test();
  await expect(page.getByText("The emails of “shop” are sent through this profile.")).toBeVisible();
  await expect(page.locator("main")).not.toContainText("magasin");
});

test("a preset is left with its server, and comes back @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await expect(page.locator("#guide")).toContainText("Gmail");
  const host = page.getByLabel("Adresse du serveur SMTP");
  await host.fill("mail.mon-domaine.fr");
  await host.blur();
  await expect(page.getByRole("radio", { name: "Autre serveur" })).toBeChecked();
  await expect(page.locator("#guide")).not.toContainText("Gmail");
  await expect(page.locator("#at-host")).toContainText("Cette adresse n’est pas celle de Gmail");
  await page.getByRole("button", { name: "Rétablir" }).click();
  await expect(page.getByRole("radio", { name: "Gmail", exact: true })).toBeChecked();
  await expect(host).toHaveValue("smtp.gmail.com");
  await expect(page.locator("#guide")).toContainText("Gmail");
});

test("the guide is that of the last choice, in any order of the responses @wasm", async ({ configurator, page }) => {
  await configurator.open();
  // The response to the first request comes last.
  let [asked, answered] = [false, false];
  await page.route(/\/profiles\/guide\?preset=free&/, async (route) => {
    asked = true;
    const answer = await route.fetch();
    await expect(page.locator("#guide")).toContainText("Gmail");
    await route.fulfill({ response: answer });
    answered = true;
  });
  await configurator.add();
  await page.getByRole("radio", { name: "Free", exact: true }).check();
  await expect.poll(() => asked).toBe(true);
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await expect.poll(() => answered).toBe(true);
  await page.waitForTimeout(500);
  await expect(page.locator("#guide")).toContainText("Gmail");
});

test("a preset whose server was changed is not the profile's", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset("Gmail");
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.sandbox.example");
  await page.getByLabel("Identifiant SMTP").fill("mot-de-passe@sandbox.example");
  await configurator.secretInput().fill("abcd efgh ijkl mnop");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.validateButton().click();
  await expect(row(page, "mot-de-passe@")).not.toContainText("Gmail");
  await configurator.button("Modifier").click();
  await configurator.ready();
  await expect(page.getByRole("radio", { name: "Gmail", exact: true })).not.toBeChecked();
});

test("own accounts with a profile that was never tried: it is said, with the button to try", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.open("sending-mode");
  await page.getByRole("button", { name: /en suivant ce lien/ }).or(page.getByRole("link", { name: /en suivant ce lien/ })).click();
  await expect(page.getByText("boutique@sandbox.example, qui n’a pas encore été testé")).toBeVisible();
  await page.getByRole("button", { name: "Tester ce profil" }).click();
  await expect(page.locator("[data-verdict=accepted]")).toBeVisible({ timeout: 30_000 });
  await configurator.open();
  await expect(page.getByText("qui n’a pas encore été testé")).toHaveCount(0);
});

test("Annuler forgets, without a question, and can be taken back once", async ({ configurator, page, demo }) => {
  page.on("dialog", (dialog) => {
    throw new Error(`a question: ${dialog.message()}`);
  });
  await configurator.open();
  // Nothing was typed, so there is nothing to restore.
  await configurator.add();
  await cancel(page).click();
  await page.waitForURL(/\/profiles$/);
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.sandbox.example");
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await configurator.secretInput().fill("abcdefghijklmnop");
  await cancel(page).click();
  await expect(page.getByText("Saisie abandonnée, rien n’est enregistré.")).toBeVisible();
  await expect(page.getByText("Vous avez commencé à saisir")).toHaveCount(0);
  await page.getByRole("link", { name: "Rétablir" }).click();
  await configurator.ready();
  await expect(page.getByLabel("Identifiant SMTP")).toHaveValue("boutique@sandbox.example");
  await expect(configurator.secretInput()).toHaveValue("");
  await cancel(page).click();
  await expect(page.getByText("Saisie abandonnée")).toBeVisible();
  // On other pages it is discarded.
  for (const path of ["sending-mode", "profiles"]) {
    await page.goto(`${demo.configurator}/${path}`);
    await expect(page.getByText(/Saisie abandonnée|Vous avez commencé/)).toHaveCount(0);
  }
  await configurator.add();
  await expect(page.getByLabel("Identifiant SMTP")).toHaveValue("");
});

test("Annuler of a change: the profile stays as it is saved", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.button("Modifier").click();
  await configurator.ready();
  await page.getByLabel("Nom de l’expéditeur").fill("Autre nom");
  await cancel(page).click();
  await expect(page.getByText("Saisie abandonnée")).toBeVisible();
  await page.getByRole("link", { name: "Rétablir" }).click();
  await configurator.ready();
  await expect(page.getByLabel("Nom de l’expéditeur")).toHaveValue("Autre nom");
  await cancel(page).click();
  await expect(page.getByText("Saisie abandonnée")).toBeVisible();
  await configurator.button("Modifier").click();
  await configurator.ready();
  await expect(page.getByLabel("Nom de l’expéditeur")).toHaveValue("Boulangerie Martin");
});

test("every wrong limit is marked at once", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const id = await page.locator("input[name=id]").first().getAttribute("value");
  await page.goto(`${demo.configurator}/profiles/sending?id=${id}`);
  await page.getByText("Avancé").click();
  await page.locator("#max-connections").fill("99");
  await page.locator("#per-minute").fill("abc");
  await page.locator("main form .primary").click();
  await expect(page.locator("[aria-invalid=true]")).toHaveCount(2);
  await expect(page.locator("#wrong a")).toHaveText(["Connexions simultanées", "Messages par minute"]);
});

test("the search: Enter chooses the only one left, and nothing is promised where nothing is @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const search = page.getByLabel("Votre fournisseur ou votre adresse email");
  await search.fill("introuvable");
  await expect(page.locator("#presets summary")).toBeHidden();
  await expect(page.getByRole("radio", { name: "Autre serveur" })).toBeVisible();
  await search.fill("mailje");
  await expect(page.locator("#presets summary")).toBeVisible();
  await search.press("Enter");
  await expect(page.getByRole("radio", { name: "Mailjet" })).toBeChecked();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue(/mailjet/);
  // An address of a provider's own domain leaves that provider alone, even if Enter comes before the server's response;
  // so does a typing error.
  for (const [typed, host] of [
    ["claire@gmail.com", "smtp.gmail.com"],
    ["claire@free.fr", "smtp.free.fr"],
    ["Claire <claire@gmial.com>", "smtp.gmail.com"],
    ["gmal", "smtp.gmail.com"],
    ["free", "smtp.free.fr"],
  ]) {
    await page.getByRole("radio", { name: "Autre serveur" }).check();
    await page.getByLabel("Adresse du serveur SMTP").fill("");
    await search.fill(typed);
    await search.press("Enter");
    await expect(page.getByLabel("Adresse du serveur SMTP"), typed).toHaveValue(host);
    if (typed !== "free") await expect(page.locator("#presets .card-choice:not([hidden]) [data-p]"), typed).toHaveCount(1);
  }
});

test("what a preset replaces is named, the encryption too @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("mail.mon-domaine.fr");
  await page.locator("#security-starttls").check();
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await expect(page.locator("#at-presets")).toContainText("Adresse du serveur SMTP, Chiffrement.");
  // Under the presets, and before the server's fields.
  const [said, host] = [await box(page, "#at-presets"), await box(page, "#host")];
  expect(said.y + said.height).toBeLessThan(host.y);
});

test("without JavaScript there is no hole where the search would be @without", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await expect(page.locator(".search")).toBeHidden();
  const [other, fill] = [(await page.locator("#presets .others").boundingBox())!, (await page.getByRole("button", { name: "Remplir les champs" }).boundingBox())!];
  expect(fill.y - (other.y + other.height)).toBeGreaterThanOrEqual(8);
});

test("success looks like success: no tint of the portal's colour", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  const colours = await page.locator(".notice.done").first().evaluate((notice) => {
    const tag = document.querySelector(".tag")!;
    const wash = notice.appendChild(document.createElement("p"));
    wash.style.background = "var(--good-wash)";
    return [notice, wash, tag].map((element) => getComputedStyle(element).backgroundColor);
  });
  expect(colours[0]).toBe(colours[1]);
  expect(colours[0]).not.toBe(colours[2]);
});

test("neither the configurator nor the portal lacks an icon", async ({ request, demo }) => {
  for (const origin of [demo.configurator, demo.portal]) {
    for (const path of ["/favicon.ico", "/favicon.svg"]) expect((await request.get(origin + path)).status(), origin + path).toBe(200);
  }
});
