// The page object: elements are found by role and label, in the words of the tutorial.
import { type Page, expect } from "@playwright/test";
import type { Demo } from "./demo";

/** The profile of its owner: in use, or only chosen while the portal sends. */
export const IN_USE = /Actif|Par défaut/;
export const PASSWORD = "abcd efgh ijkl mnop";

const WORDS = {
  fr: {
    open: "Ouvrir le configurateur", add: "Ajouter", validate: "Valider", test: "Tester", edit: "Modifier", duplicate: "Dupliquer", use: "Utiliser", delete: "Supprimer",
    host: "Adresse du serveur SMTP", port: "Numéro de port", login: "Identifiant SMTP", secret: "Mot de passe SMTP", sandbox: "Bac à sable (sandbox)",
    fill: "Remplir les champs", encoding: "Encodage SMTP", accepted: /le serveur a accepté le message/, senderAddress: "Adresse de l’expéditeur",
  },
  en: {
    open: "Open the configurator", add: "Add", validate: "Save and continue", test: "Test", edit: "Edit", duplicate: "Duplicate", use: "Use", delete: "Delete",
    host: "SMTP server address", port: "Port number", login: "SMTP username", secret: "SMTP password", sandbox: "Bac à sable (sandbox)",
    fill: "Fill in the fields", encoding: "SMTP encoding", accepted: /the server accepted the message/, senderAddress: "Sender address",
  },
};

export class Configurator {
  words = WORDS.fr;
  constructor(readonly page: Page, readonly demo: Demo, readonly scripted: boolean) {}

  /** Opens it from the portal, in a page of its own. */
  async open(page: "sending-mode" | "profiles" = "profiles", account = "boulangerie-martin", language: "fr" | "en" = "fr") {
    this.words = WORDS[language];
    await this.page.goto(`${this.demo.portal}/${account}/open/${page}?lang=${language}`);
    // With JavaScript the form submits itself.
    if (!this.scripted) await this.page.getByRole("button", { name: this.words.open }).click();
    await this.page.waitForURL(`${this.demo.configurator}/${page}`);
    await this.ready();
  }

  /** Waits until the island listens. Without JavaScript there is none. */
  async ready() {
    if (this.scripted && /profiles\/(new|edit)/.test(this.page.url())) {
      await this.page.locator(".search.shown").waitFor();
    }
  }

  input = (name: string) => this.page.getByLabel(name, { exact: true });
  button = (name: string) => this.page.getByRole("button", { name, exact: true });
  heading = (name: string | RegExp) => this.page.getByRole("heading", { name });
  validateButton = () => this.page.locator("#content .actions").getByRole("button", { name: this.words.validate });

  /** One of the actions behind the three dots of the selected profile. */
  async more(name: string) {
    if (!(await this.page.locator(".more[open]").count())) await this.page.locator(".more > summary").click();
    await this.button(name).click();
  }

  /** Presses the form's own button when the browser or the server refuses: the page stays or comes back. */
  secretInput = () => this.page.locator("#secret");

  async add() {
    await this.page.getByRole("link", { name: this.words.add, exact: true }).click();
    await this.page.waitForURL(/profiles\/new/);
    await this.ready();
  }

  async choosePreset(name: string) {
    await this.page.getByRole("radio", { name, exact: true }).check();
    if (!this.scripted) await this.button(this.words.fill).click();
  }

  /** Fills the form for one of the sandbox's personas, and saves both steps. */
  async addPersona(login: string, { host = "", password = PASSWORD, user = "" } = {}) {
    await this.add();
    await this.choosePreset(this.words.sandbox);
    if (user) await this.input("Compte utilisateur").selectOption({ label: user });
    if (host) await this.input(this.words.host).fill(host);
    await this.input(this.words.login).fill(login);
    await this.input(this.words.secret).fill(password);
    await this.validateButton().click();
    await expect(this.heading(this.words.encoding)).toBeVisible();
    await this.validateButton().click();
    await this.page.waitForURL(/profiles\?selected=/);
  }

  /** Presses Tester and waits for the outcome: live, or as a page. */
  async test() {
    await this.button(this.words.test).click();
    const card = this.page.locator("[data-verdict]");
    await card.waitFor({ timeout: 45_000 });
    return card;
  }
}
