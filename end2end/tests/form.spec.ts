// The form: presets, bad input, the password field.
import { PASSWORD } from "./configurator";
import { expect, test } from "./demo";

test("bad input is refused beside its field and nothing typed is lost", async ({ configurator, page, javaScriptEnabled }) => {
  await configurator.open();
  await configurator.add();
  // The assistant knows the operator's policy; without it the server refuses what the browser does not.
  const [host, port] = configurator.scripted ? ["10.0.0.1", "22"] : ["localhost", "465"];
  await page.getByLabel("Adresse du serveur SMTP").fill(host);
  await page.getByLabel("Numéro de port").fill(port);
  await page.getByLabel("Identifiant SMTP").fill("claire@exemple.fr");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill("secretsecret");
  await page.getByLabel("Nom de l’expéditeur").fill("Chez Élise & fils");
  await page.getByLabel("Adresse de réponse").fill("reponse@exemple.fr");
  await configurator.validateButton().click();
  await expect(page.getByText(/le nom du serveur que donne votre fournisseur/)).toBeVisible();
  // Both in one round.
  if (configurator.scripted) await expect(page.getByText("Ce port ne sert pas à envoyer des emails.")).toBeVisible();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toBeFocused();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue(host);
  await expect(page.getByLabel("Nom de l’expéditeur")).toHaveValue("Chez Élise & fils");
  await expect(page.getByLabel("Adresse de réponse")).toHaveValue("reponse@exemple.fr");
  // With JavaScript the form was not submitted: the password is still in its field.
  await expect(page.getByLabel("Mot de passe SMTP", { exact: true })).toHaveValue(javaScriptEnabled === false ? "" : "secretsecret");
});

test("what is wrong is linked above the form, and said between label and input", async ({ configurator, page }) => {
  for (const language of ["fr", "en"] as const) {
    await configurator.open("profiles", "boulangerie-martin", language);
    await page.goto(`${configurator.demo.configurator}/profiles/new`);
    await configurator.ready();
    await page.locator("#login").fill("claire@exemple.fr");
    // Without a script the browser itself refuses an invalid port and a missing password: nothing is submitted.
    const typed = configurator.scripted ? "99999" : "";
    if (configurator.scripted) await page.locator("#port").fill(typed);
    else await page.locator("#secret").fill("secretsecret");
    await configurator.validateButton().click();
    const summary = page.getByRole("alert").filter({ has: page.getByRole("list") });
    await expect(summary).toContainText(language === "fr" ? "Rien n’est encore enregistré." : "Nothing is saved yet.");
    const wrong = language === "fr" ? ["Adresse du serveur SMTP", "Numéro de port", "Mot de passe SMTP"] : ["SMTP server address", "Port number", "SMTP password"];
    if (!configurator.scripted) wrong.pop();
    await expect(summary.getByRole("link")).toHaveText(wrong);
    await expect(page.locator("#host")).toBeFocused();
    await summary.getByRole("link", { name: wrong[1] }).click();
    await expect(page.locator("#port")).toBeFocused();
    await expect(page.locator("#port")).toHaveValue(typed);
    const [label, fault, input] = await Promise.all(["label[for=port]", "#port-fault", "#port"].map((part) => page.locator(part).boundingBox()));
    expect(label!.y + label!.height, "the error is under its label").toBeLessThanOrEqual(fault!.y);
    expect(fault!.y + fault!.height, "and above its input").toBeLessThanOrEqual(input!.y);
    expect(fault!.height, "in two lines at most").toBeLessThan(60);
  }
});

test("a corrected field leaves the summary, which goes with the last one @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Identifiant SMTP").fill("claire@exemple.fr");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill("abcdefghijklmnop");
  await configurator.validateButton().click();
  const links = page.locator("#wrong a");
  await expect(links).toHaveText(["Adresse du serveur SMTP", "Numéro de port"]);
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.exemple.fr");
  await expect(links).toHaveText(["Numéro de port"]);
  await page.getByLabel("Numéro de port").fill("465");
  await expect(page.locator("#wrong")).toBeHidden();
});

test("a password survives an error that the browser sees", async ({ configurator, page, javaScriptEnabled }) => {
  await configurator.open();
  await configurator.add();
  const host = page.getByLabel("Adresse du serveur SMTP");
  const port = page.getByLabel("Numéro de port");
  await host.fill("smtp.sandbox.example");
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  const secret = page.getByLabel("Mot de passe SMTP", { exact: true });
  await secret.fill("abcdefghijklmnop");
  // Without JavaScript an empty port is submitted: the server fills it from the preset, or says what is missing.
  for (const wrong of [...(javaScriptEnabled === false ? [] : [""]), "0", "70000", "465x"]) {
    await port.fill(wrong);
    await configurator.validateButton().click();
    await expect(page, wrong).toHaveURL(/profiles\/new/);
    await expect(secret, wrong).toHaveValue("abcdefghijklmnop");
  }
  await port.fill("465");
  await host.fill("boutique@sandbox.example");
  await configurator.validateButton().click();
  await expect(secret).toHaveValue("abcdefghijklmnop");
  await host.fill("smtp.sandbox.example");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
});

test("a server is taken as it was meant, and the page says so", async ({ configurator, page, javaScriptEnabled }) => {
  for (const typed of ["smtp.sandbox.example:465", "https://smtp.sandbox.example:465/", "ssl://smtp.sandbox.example:465", "\u00a0smtp.sandbox.example. 465"]) {
    await configurator.open();
    await configurator.add();
    await page.getByLabel("Adresse du serveur SMTP").fill(typed);
    await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
    if (javaScriptEnabled === false) {
      await page.getByLabel("Numéro de port").fill("587");
    } else {
      await expect(page.getByLabel("Adresse du serveur SMTP"), typed).toHaveValue("smtp.sandbox.example");
      await expect(page.getByLabel("Numéro de port"), typed).toHaveValue("465");
      await expect(page.locator("#host-hint")).toHaveText("Le port 465 a été séparé du nom du serveur.");
    }
    await page.getByLabel("Mot de passe SMTP", { exact: true }).fill("abcdefghijklmnop");
    await configurator.validateButton().click();
    await expect(configurator.heading("Encodage SMTP"), typed).toBeVisible();
    if (javaScriptEnabled === false) await expect(page.getByText("serveur smtp.sandbox.example, port 465")).toBeVisible();
    await configurator.open();
    await expect(page.getByText("smtp.sandbox.example:465").first()).toBeVisible();
  }
});

test("private hosts are refused in every spelling", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433", "10.0.0.1"]) {
    await page.getByLabel("Adresse du serveur SMTP").fill(host);
    await page.getByLabel("Numéro de port").fill("465");
    await page.getByLabel("Identifiant SMTP").fill("claire@exemple.fr");
    await page.getByLabel("Mot de passe SMTP", { exact: true }).fill("secretsecret");
    await configurator.validateButton().click();
    const asked = !configurator.scripted && /^(127|10)\./.test(host);
    // Without the assistant the browser itself stops the plain ones.
    if (asked) await expect(page.locator("#host:invalid")).toHaveValue(host);
    else await expect(page.getByText(/le nom du serveur que donne votre fournisseur/)).toBeVisible();
  }
});

test("the browser's own checks speak our words @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.exemple.fr");
  await page.getByLabel("Numéro de port").fill("25abc");
  await configurator.validateButton().click();
  await expect(page.locator("#port-fault")).toHaveText(/ne sert pas à envoyer des emails/);
  await expect(page.locator("#login-fault")).toHaveText("Saisissez votre identifiant SMTP.");
  await expect(page.locator("#secret-fault")).toHaveText("Saisissez votre mot de passe SMTP.");
  await expect(page.getByLabel("Numéro de port")).toBeFocused();
  await page.getByLabel("Numéro de port").fill("587");
  await expect(page.locator("#port-fault")).toBeEmpty();
});

test("values typed by hand give way only with a word, and come back @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const host = page.getByLabel("Adresse du serveur SMTP");
  await host.fill("mail.mon-domaine.fr");
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await expect(host).toHaveValue("smtp.gmail.com");
  await expect(page.getByText("Remplacé par la configuration choisie : Adresse du serveur SMTP.")).toBeVisible();
  await page.getByRole("button", { name: "Rétablir" }).first().click();
  await expect(host).toHaveValue("mail.mon-domaine.fr");
  await expect(page.getByRole("radio", { name: "Autre serveur" })).toBeChecked();
  await expect(page.getByRole("radio", { name: "Autre serveur" })).toBeFocused();
  // Selecting it again restores it.
  await page.getByRole("radio", { name: "Gmail", exact: true }).click();
  await expect(host).toHaveValue("smtp.gmail.com");
  // After any further choice, even a double one, the typed values can still be restored.
  await page.getByRole("radio", { name: "Gmail", exact: true }).dblclick();
  await page.getByRole("radio", { name: "Free", exact: true }).check();
  await page.getByRole("radio", { name: "Autre serveur" }).check();
  await page.getByRole("radio", { name: "Free", exact: true }).check();
  await expect(host).toHaveValue("smtp.free.fr");
  await page.getByRole("button", { name: "Rétablir" }).click();
  await expect(host).toHaveValue("mail.mon-domaine.fr");
  await expect(page.getByRole("radio", { name: "Autre serveur" })).toBeChecked();
  // Until another value is typed there.
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await host.fill("autre.mon-domaine.fr");
  await expect(page.getByText("Remplacé par la configuration choisie")).toBeHidden();
});

test("from one preset to the next nothing was typed by hand @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await page.getByRole("radio", { name: "Free", exact: true }).check();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.free.fr");
  await expect(page.locator(".assistant:not(:empty)")).toHaveCount(0);
});

test("an address proposes its preset @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Identifiant SMTP").fill("claire@wanadoo.fr");
  await expect(page.getByText("Cette adresse est chez Orange")).toBeVisible();
  await page.getByRole("button", { name: "Choisir cette configuration" }).click();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.orange.fr");
  await expect(page.locator("#guide")).toContainText("Orange");
});

test("the server is asked once for each domain of a login, and for its domain only @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const asked: string[] = [];
  page.on("request", (request) => request.url().includes("/profiles/provider") && asked.push(new URL(request.url()).search));
  const login = page.getByLabel("Identifiant SMTP");
  const proposal = page.getByText("Cette adresse est chez Orange");
  await login.fill("claire@orange.fr");
  await expect(proposal).toBeVisible();
  await login.fill("claire.martin@orange.fr");
  await expect(proposal).toBeVisible();
  await login.fill("claire.martin@boulangerie-martin.fr");
  await expect(proposal).toBeHidden();
  await expect.poll(() => asked).toEqual(["?domain=orange.fr", "?domain=boulangerie-martin.fr"]);
});

test("without an answer of the server a preset fills its fields all the same @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.route(/\/(profiles\/(provider|guide)|api\/)/, (route) => route.abort());
  await page.getByLabel("Identifiant SMTP").fill("claire@gmail.com");
  await page.getByRole("radio", { name: "Gmail", exact: true }).check();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.gmail.com");
  await expect(page.getByLabel("Numéro de port")).toHaveValue("465");
  await expect(page.getByRole("radio", { name: "SSL/TLS", exact: true })).toBeChecked();
});

test("an existing profile opens without a proposal @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.exemple.fr");
  await page.getByLabel("Numéro de port").fill("465");
  await page.getByLabel("Identifiant SMTP").fill("claire@orange.fr");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill("abcdefghijklmnop");
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.validateButton().click();
  await page.waitForURL(/profiles\?selected=/);
  const answered = page.waitForResponse(/profiles\/provider\?domain=orange\.fr/);
  await configurator.button("Modifier").click();
  await (await answered).finished();
  await configurator.ready();
  await expect(page.locator(".assistant:not(:empty)")).toHaveCount(0);
  // It comes with the next change of the login.
  await page.getByLabel("Identifiant SMTP").fill("karim@orange.fr");
  await expect(page.getByText("Cette adresse est chez Orange")).toBeVisible();
});

test("the search narrows the providers @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByLabel("Votre fournisseur ou votre adresse email").fill("MAILJ");
  await expect(page.getByRole("radio", { name: "Mailjet" })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Gmail", exact: true })).toBeHidden();
  await page.getByLabel("Votre fournisseur ou votre adresse email").fill("introuvable");
  await expect(page.getByText("Aucun fournisseur de ce nom.")).toBeVisible();
  await page.getByLabel("Votre fournisseur ou votre adresse email").press("Enter");
  await expect(page).toHaveURL(/profiles\/new/);
});

test("an address that was typed in the search is the login @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const search = page.getByLabel("Votre fournisseur ou votre adresse email");
  await search.fill("Claire <claire@gmail.com>");
  await search.press("Enter");
  await expect(page.getByRole("radio", { name: "Gmail", exact: true })).toBeChecked();
  await expect(page.getByLabel("Identifiant SMTP")).toHaveValue("claire@gmail.com");
  // Existing input stays.
  await search.fill("autre@orange.fr");
  await search.press("Enter");
  await expect(page.getByRole("radio", { name: /^Orange/ })).toBeChecked();
  await expect(page.getByLabel("Identifiant SMTP")).toHaveValue("claire@gmail.com");
  await search.fill("ma boîte mail ovh");
  await expect(page.getByRole("radio", { name: "OVHcloud MX Plan" })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Gmail", exact: true })).toBeHidden();
});

test("elsewhere than at Google spaces are only announced @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByRole("radio", { name: "OVHcloud MX Plan" }).check();
  const secret = page.getByLabel("Mot de passe SMTP", { exact: true });
  await secret.fill(" mon mot de passe\u200b");
  await page.getByRole("button", { name: "Afficher le mot de passe" }).click();
  await expect(page.getByText("2 caractères semblent en trop")).toBeVisible();
  await expect(secret).toHaveValue(" mon mot de passe\u200b");
  await page.getByRole("button", { name: "Retirer" }).click();
  await expect(secret).toHaveValue("mon mot de passe");
});

test("without the field's help the server announces the same @without", async ({ configurator, page, demo }) => {
  await configurator.open();
  await configurator.add();
  // Not a known provider's: whether spaces are significant there is unknown.
  await page.getByLabel("Adresse du serveur SMTP").fill("silence.sandbox.example");
  await page.getByLabel("Numéro de port").fill("465");
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(" abcdefghijklmnop ");
  await configurator.validateButton().click();
  await expect(page.getByText("contient 2 caractères qui semblent en trop")).toBeVisible();
  await page.getByRole("button", { name: "Retirer" }).click();
  await expect(page.getByText("2 caractères ont été retirés du mot de passe enregistré.")).toBeVisible();
});

test("a stored secret follows no other server", async ({ configurator, page, javaScriptEnabled }) => {
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.button("Modifier").click();
  await configurator.ready();
  await page.getByLabel("Adresse du serveur SMTP").fill("smtp.exemple.fr");
  await configurator.validateButton().click();
  // The island says so before the form is submitted; the server, after each submission.
  const said = javaScriptEnabled === false ? "ne vaut que pour l’ancien serveur" : "Vous avez changé le serveur : saisissez le mot de passe de smtp.exemple.fr.";
  await expect(page.getByText(said)).toBeVisible();
  await expect(page.getByLabel("Adresse du serveur SMTP")).toHaveValue("smtp.exemple.fr");
  await configurator.open();
  await expect(page.getByText("smtp.sandbox.example")).toBeVisible();
});

test("the password field is not for the portal's password", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await expect(page.getByLabel("Mot de passe SMTP", { exact: true })).toHaveAttribute("autocomplete", "new-password");
  await expect(page.getByLabel("Identifiant SMTP")).toHaveAttribute("autocomplete", "off");
});

test("no answer ever holds the password", async ({ configurator, page }) => {
  const bodies: Promise<string>[] = [];
  page.on("response", (response) => bodies.push(response.text().catch(() => "")));
  await configurator.open();
  await configurator.addPersona("boutique@sandbox.example");
  await configurator.test();
  await configurator.open();
  await configurator.button("Modifier").click();
  const everything = (await Promise.all(bodies)).join("\n");
  for (const form of ["abcdefghijklmnop", PASSWORD, btoa("abcdefghijklmnop"), "abcd+efgh", "abcd%20efgh"]) {
    expect(everything.includes(form), form).toBe(false);
  }
});

test("the proposal stands under the login, in the flow, and is said once @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const place = page.locator("#at-login");
  await page.evaluate(() => {
    const seen = ((window as never as { said: string[] }).said = []);
    new MutationObserver(() => seen.push(document.querySelector("#at-login")!.textContent as never)).observe(document.querySelector("#at-login")!, { childList: true, subtree: true });
  });
  const login = page.getByLabel("Identifiant SMTP");
  await login.pressSequentially("claire@orange.fr");
  await expect(place).toContainText("Cette adresse est chez Orange");
  await login.press("Home");
  await login.pressSequentially("marie-");
  await expect(login).toHaveValue("marie-claire@orange.fr");
  expect(await page.evaluate(() => (window as never as { said: string[] }).said)).toHaveLength(1);
  const [field, said, secret] = await Promise.all(["#login", "#at-login", "#secret"].map(async (at) => (await page.locator(at).boundingBox())!));
  expect(said.y).toBeGreaterThanOrEqual(field.y + field.height);
  expect(said.y - field.y - field.height).toBeLessThan(16);
  expect(said.y + said.height).toBeLessThan(secret.y);
  expect(await place.evaluate((element) => getComputedStyle(element).position)).toBe("static");
  // The replacement is announced at the same place; empty places take no room.
  await page.getByLabel("Adresse du serveur SMTP").fill("mail.mon-domaine.fr");
  await page.getByRole("button", { name: "Choisir cette configuration" }).click();
  await expect(place).toContainText("Remplacé par la configuration choisie");
  await page.getByRole("button", { name: "Rétablir" }).click();
  await expect(place).toBeEmpty();
  expect((await place.boundingBox())!.height).toBe(0);
});

test("an address with its owner's name becomes both", async ({ configurator, page, javaScriptEnabled }) => {
  await configurator.open();
  await configurator.add();
  await configurator.choosePreset(configurator.words.sandbox);
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  const [name, address] = [page.getByLabel("Nom de l’expéditeur"), page.getByLabel("Adresse de l’expéditeur")];
  await name.fill("");
  await address.fill('"Martin, Claire" <mailto:claire@sandbox.example>');
  if (javaScriptEnabled !== false) {
    await address.blur();
    await expect(address).toHaveValue("claire@sandbox.example");
    await expect(name).toHaveValue("Martin, Claire");
    // A typed name stays.
    await address.fill("Karim <claire@sandbox.example>");
    await address.blur();
    await expect(address).toHaveValue("claire@sandbox.example");
  }
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await page.goBack();
  if (javaScriptEnabled === false) await page.reload();
  await expect(name).toHaveValue("Martin, Claire");
  await expect(address).toHaveValue("claire@sandbox.example");
});

test("without JavaScript a chosen preset fills what was left empty @without", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByRole("radio", { name: configurator.words.sandbox, exact: true }).check();
  await page.getByLabel("Identifiant SMTP").fill("boutique@sandbox.example");
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await configurator.validateButton().click();
  await expect(configurator.heading("Encodage SMTP")).toBeVisible();
  await configurator.open();
  await expect(page.getByText("smtp.sandbox.example").first()).toBeVisible();
  // A field that no preset fills is requested by our own text, in the reader's language.
  await configurator.add();
  await page.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await configurator.validateButton().click();
  await expect(page.getByText("Saisissez l’adresse de votre serveur SMTP.")).toBeVisible();
});

test("the arrow keys pass over presets without asking for each @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  const asked: string[] = [];
  page.on("request", (request) => /profiles\/(guide|check)/.test(request.url()) && asked.push(new URL(request.url()).pathname));
  await page.getByRole("radio", { name: "Autre serveur" }).focus();
  for (let step = 0; step < 10; step++) await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "IONOS France" })).toBeChecked();
  await expect(page.locator("#secret-hint")).toHaveText("Il vous faut le mot de passe de l’adresse email.");
  await page.waitForTimeout(1500);
  expect(asked.filter((path) => path.endsWith("guide"))).toHaveLength(1);
  expect(asked.filter((path) => path.endsWith("check")).length).toBeLessThanOrEqual(1);
});

test("the hints are the chosen provider's, and its page is a button @wasm", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await expect(page.locator("#login-hint")).toHaveText("Le plus souvent, votre adresse email complète.");
  for (const [name, login, secret] of [
    ["Free", "La partie de votre adresse avant le @.", "Il vous faut le mot de passe de la boîte Free."],
    ["Brevo", "L’identifiant SMTP affiché par Brevo, et non votre adresse de connexion.", "Il vous faut une clé SMTP."],
    ["Gmail", "Votre adresse email complète.", "Il vous faut un mot de passe d’application."],
  ]) {
    await page.getByRole("radio", { name, exact: true }).check();
    await expect(page.locator("#login-hint")).toHaveText(login);
    await expect(page.locator("#secret-hint")).toHaveText(secret);
  }
  const link = page.locator("#guide").getByRole("link", { name: "Ouvrir Google" });
  await expect(link).toHaveAttribute("href", "https://myaccount.google.com/apppasswords");
  await expect(link).toHaveAttribute("target", "_blank");
  await expect(page.locator("#guide")).not.toContainText("google.com");
  await expect(page.locator("#guide .screens li")).toHaveCount(3);
});

test("every card has its mark, two lines at most, and stays whole", async ({ configurator, page }) => {
  await configurator.open();
  await configurator.add();
  await page.getByText("autres fournisseurs").click();
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 900 });
    const faults = await page.evaluate(() => {
      const faults: string[] = [];
      for (const card of document.querySelectorAll<HTMLElement>(".card-choice")) {
        const name = card.querySelector("span")!;
        const [box, own] = [card.getBoundingClientRect(), name.getBoundingClientRect()];
        const text = name.textContent!;
        if (own.height > 2.2 * parseFloat(getComputedStyle(name).lineHeight)) faults.push(`${text}: more than two lines`);
        if (own.right > box.right || name.scrollWidth > name.clientWidth + 1 && getComputedStyle(name).display !== "inline") faults.push(`${text}: leaves its card`);
        if (box.height < 44) faults.push(`${text}: ${box.height} high`);
        // A word on two lines has two boxes.
        const words = document.createRange();
        for (const match of text.matchAll(/\S+/g)) {
          words.setStart(name.firstChild!, match.index);
          words.setEnd(name.firstChild!, match.index + match[0].length);
          const boxes = [...words.getClientRects()];
          if (boxes.length > 1 || boxes.some((one) => one.right > box.right)) faults.push(`${text}: ${match[0]} is broken`);
        }
        const mark = card.querySelector("i")!;
        if (mark.getBoundingClientRect().width < 24) faults.push(`${text}: no mark`);
        // The colours come with a separate style sheet.
        const plain = getComputedStyle(mark).backgroundColor === "rgb(87, 99, 106)";
        if (plain && /Gmail|Orange|Brevo/.test(text)) faults.push(`${text}: the mark has no colour`);
      }
      if (document.documentElement.scrollWidth > innerWidth) faults.push("the page scrolls sideways");
      return faults;
    });
    expect(faults, String(width)).toEqual([]);
  }
  await expect(page.getByRole("radio", { name: /^Outlook\.com.*Accès fermé$/ })).toBeVisible();
  await expect(page.getByRole("radio", { name: /^Microsoft 365.*Ferme bientôt$/ })).toBeVisible();
});
