// One visit: the configurator in a page of its own, or in a frame of the portal's page, in one language. It is the way
// to reach states. Elements are found by properties that do not depend on the language: ids, names, classes.
import { type BrowserContext, type Frame, type Locator, type Page, expect } from "@playwright/test";
import { PASSWORD } from "../tests/configurator";
import type { Demo } from "../tests/demo";
import { revoke } from "../tests/portal";

export const LANGUAGES = ["fr", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export const SURFACES = ["page", "frame"] as const;
export type Surface = (typeof SURFACES)[number];
export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
/** A desk, a phone, and 1280 pixels at 400 % (WCAG 2.2, 1.4.10). */
export const WIDTHS = [1280, 390, 320] as const;

/** How a profile differs from the sandbox's preset. `id`: an existing profile. */
export type Settings = Partial<Record<"id" | "host" | "port" | "security" | "user" | "sender" | "password", string>>;

/** The sample's two accounts: one for each language, so that both can use one demo. */
const ACCOUNTS = {
  fr: { slug: "boulangerie-martin", name: "Boulangerie Martin", reader: "claire", user: "karim" },
  en: { slug: "velo-dubois", name: "Atelier Vélo Dubois", reader: "hugo", user: "lea" },
};

/** The element of an island, and the sign that the island listens. */
const ISLANDS = [[".search", ".search.shown"], [".toolbar", ".toolbar [aria-disabled]"], [".copy", ".copy:not([hidden])"]];

export class Scene {
  /** The document of the configurator. */
  at: Page | Frame;
  readonly account: (typeof ACCOUNTS)[Language];

  /** A tab that has not visited the configurator yet. */
  static async begin(context: BrowserContext, demo: Demo, language: Language, surface: Surface): Promise<Scene> {
    await context.clearCookies();
    const page = await context.newPage();
    await page.setExtraHTTPHeaders({ "accept-language": language });
    return new Scene(page, demo, language, surface);
  }

  private constructor(readonly page: Page, readonly demo: Demo, readonly language: Language, readonly surface: Surface) {
    this.at = page;
    this.account = ACCOUNTS[language];
  }

  /** The text of this visit's language. */
  say = (french: string, english: string) => (this.language === "fr" ? french : english);
  find = (selector: string): Locator => this.at.locator(selector);
  row = (login: string): Locator => this.find(".profile").filter({ hasText: login });

  /** Enters through the portal, and goes to a page. */
  async open(path = "profiles") {
    const { page, demo, account, language } = this;
    if (this.surface === "page") {
      await page.goto(`${demo.portal}/${account.slug}/open/profiles?lang=${language}`);
      await page.waitForURL(`${demo.configurator}/profiles`);
      if (path === "profiles") return this.ready();
    } else {
      await page.goto(`${demo.portal}/${account.slug}/settings/sending?lang=${language}`);
      await page.locator("#events", { hasText: "ready" }).waitFor();
      this.at = page.frames().find((frame) => frame.url().startsWith(demo.configurator))!;
    }
    await this.go(path);
  }

  /** Goes to a page of the configurator. */
  async go(path: string) {
    await this.at.goto(`${this.demo.configurator}/${path}`);
    await this.ready();
  }

  /** Until the page's islands listen. */
  async ready() {
    for (const [part, listens] of ISLANDS) {
      if (await this.find(part).count()) await this.find(listens).first().waitFor({ state: "attached" });
    }
  }

  /** Presses a button that leads to another page. */
  async press(button: Locator, arrives: RegExp) {
    await Promise.all([this.at.waitForURL(arrives), button.click()]);
    await this.ready();
  }

  // Profiles

  /** Posts a form like the page itself; returns the page of the redirect. */
  async post(path: string, fields: Record<string, string>): Promise<string> {
    return this.at.evaluate(async ([path, fields]) => {
      const body = new URLSearchParams(fields as Record<string, string>);
      const answer = await fetch(path as string, { method: "POST", headers: { accept: "text/html" }, body });
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      return answer.url.replace(`${location.origin}/`, "");
    }, [path, fields] as const);
  }

  /** The sandbox's port for TLS from the start. */
  async port(): Promise<string> {
    return this.at.evaluate(async () => {
      const page = new DOMParser().parseFromString(await (await fetch("/profiles/new?preset=sandbox")).text(), "text/html");
      return page.querySelector<HTMLInputElement>("#port")!.value;
    });
  }

  /** Saves a profile of the sandbox; the page that follows, and its id. */
  async save(persona: string, settings: Settings = {}): Promise<{ id: string; next: string }> {
    const { id = "", host = "", security = "", user = "", sender = "", password = PASSWORD } = settings;
    const login = persona.includes("@") ? persona : `${persona}@sandbox.example`;
    const next = await this.post("/api/profiles/save", {
      id, "draft[preset]": "sandbox", "draft[host]": host || "smtp.sandbox.example", "draft[port]": settings.port ?? (await this.port()),
      "draft[security]": security || "tls", "draft[user]": user, "draft[login]": login, "draft[sender_name]": this.account.name,
      "draft[sender_address]": sender, secret: password,
    });
    const saved = new URL(next, this.demo.configurator).searchParams.get("id");
    expect(saved, `${login} is saved`).toBeTruthy();
    return { id: saved!, next };
  }

  /** The list with these profiles; the id of the last one, which is selected. */
  async list(...profiles: (string | [string, Settings])[]): Promise<string> {
    let id = "";
    for (const one of profiles) ({ id } = typeof one === "string" ? await this.save(one) : await this.save(...one));
    await this.go(`profiles?selected=${id}`);
    return id;
  }

  /** The account's own servers send from now on. */
  async ownServers() {
    await this.go("sending-mode");
    await this.find("#mode-own").check();
    await this.press(this.find("main form.stack .primary"), /notice=/);
  }

  // Tests

  /** Presses Tester, and waits for the outcome in the page. */
  async test(): Promise<Locator> {
    await this.find(".toolbar [data-test]").click();
    const card = this.find("[data-verdict]").first();
    await card.waitFor({ timeout: 45_000 });
    return card;
  }

  /** The list with a profile that was just tested; its id. */
  async tested(persona: string, settings: Settings = {}): Promise<string> {
    await this.open();
    const id = await this.list([persona, settings]);
    await this.test();
    return id;
  }

  /** From now on a test's stream stops after `lines` lines, and the page keeps that state. */
  async holdTestAfter(lines: number) {
    await this.at.evaluate((lines) => {
      const ask = window.fetch;
      window.fetch = async (...call) => {
        const answer = await ask(...call);
        if (!String(call[0]).includes("/api/test/stream")) return answer;
        let left = lines;
        const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
        let kept = "";
        const body = new ReadableStream({
          async pull(to) {
            const { signal } = call[1] ?? {};
            if (left <= 0) return new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
            while (!kept.includes("\n")) kept += (await reader.read()).value ?? "\n";
            const end = kept.indexOf("\n") + 1;
            to.enqueue(new TextEncoder().encode(kept.slice(0, end)));
            kept = kept.slice(end);
            left -= 1;
          },
        });
        return new Response(body, { status: answer.status, headers: answer.headers });
      };
    }, lines);
  }

  /** The six digits of the last test's mail. */
  async code(): Promise<string> {
    const [mail] = await this.demo.inbox();
    const [, first, second] = /code[^\d]*(\d{3}) (\d{3})/i.exec(mail.text)!;
    return first + second;
  }

  async confirm(code: string) {
    await this.find("#code").fill(code);
    await this.press(this.find("form.code button"), /notice=/);
  }

  // The portal

  /** The portal sends a quote, and waits for the outcome. */
  async send(quote: string) {
    const portal = await this.page.context().newPage();
    await portal.goto(`${this.demo.portal}/${this.account.slug}?lang=${this.language}`);
    await portal.locator(`form[action$="/quotes/${quote}"] button`).click();
    const row = portal.getByRole("row", { name: quote });
    await expect(async () => {
      await portal.reload();
      await expect(row).toContainText(/non envoyé|(?<!peut-être )envoyé$|not sent|(?<!perhaps |be )sent$/, { timeout: 100 });
    }).toPass({ timeout: 20_000 });
    await portal.close();
  }

  /** The portal signs its user out. */
  async signOut() {
    const { slug, name, reader } = this.account;
    await revoke(this.demo, { sub: reader, account: { id: slug, name } });
  }

  // What is seen

  async show(width: number, colorScheme: Theme) {
    await this.page.setViewportSize({ width, height: 800 });
    await this.page.emulateMedia({ colorScheme });
    await this.settle();
  }

  /** Waits until the page is still: fonts are loaded, the pointer is away, and the frame is as tall as its content. */
  async settle() {
    await this.page.mouse.move(0, 0);
    for (const document of new Set([this.page, this.at])) await document.evaluate(still);
    if (this.at === this.page) return;
    const frame = this.page.locator("smtp-configurator iframe");
    const rest = async () => {
      const content = await this.at.evaluate(() => Math.ceil(document.documentElement.getBoundingClientRect().height));
      return content - (await frame.evaluate((iframe: HTMLElement) => iframe.offsetHeight));
    };
    await expect.poll(rest, { intervals: [20, 50, 100] }).toBe(0);
  }
}

/** Runs in the browser: stops changes over time, such as the ten seconds for restoring a deleted profile. */
async function still() {
  await document.fonts.ready;
  // A hidden frame is never drawn.
  await new Promise((drawn) => {
    requestAnimationFrame(() => requestAnimationFrame(drawn));
    setTimeout(drawn, 200);
  });
  for (const one of document.getAnimations()) {
    if (one instanceof CSSTransition) one.finish();
    else one.pause();
  }
}
