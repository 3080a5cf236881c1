// <smtp-configurator> in a portal's page: what it shows, its events, and what other sites can get from it.
import type { Frame, FrameLocator, Page } from "@playwright/test";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync } from "node:zlib";
import { PASSWORD } from "./configurator";
import { type Demo, expect, test } from "./demo";
import { sign } from "./portal";

const SENDING = "/boulangerie-martin/settings/sending?lang=fr";
const NAMES = ["ready", "resize", "profile-saved", "profile-deleted", "test-succeeded", "test-failed", "mode-changed", "session-expired", "error"];
type Heard = { name: string; detail: Record<string, unknown>; from: string };

/**
 * Records the events of elements from the start. `error` and `resize` do not bubble: they are captured on the way down.
 */
async function listen(page: Page) {
  await page.addInitScript((names) => {
    const heard: unknown[] = ((window as any).heard = []);
    for (const name of names) {
      addEventListener(name, (event) => {
        if (!(event instanceof CustomEvent)) return;
        const quiet = name === "error" || name === "resize";
        heard.push({ name: event.bubbles === quiet ? `${name}, wrongly` : name, detail: event.detail, from: (event.target as Element).id });
      }, { capture: true });
    }
  }, NAMES);
}

async function heard(page: Page, ...names: string[]): Promise<Heard[]> {
  const all: Heard[] = await page.evaluate(() => (window as any).heard);
  return all.filter(({ name }) => names.includes(name));
}

/** Waits until an event was fired `times` times in all; returns its last detail. */
async function wait(page: Page, name: string, times = 1, timeout = 10_000): Promise<Record<string, unknown>> {
  await expect.poll(async () => (await heard(page, name)).length, { message: `${name} ${times}×`, timeout }).toBe(times);
  return (await heard(page, name)).at(-1)!.detail;
}

const inside = (page: Page): FrameLocator => page.frameLocator("smtp-configurator iframe");
/** The frame's own document. */
const document = (page: Page, demo: Demo): Frame => page.frames().find((frame) => frame.url().startsWith(demo.configurator))!;

/** The frame's page reloads, goes back, or goes to an address. Ends when the new page is loaded, because the old page
 * may contain the same elements. */
async function moves(page: Page, demo: Demo, to: "reload" | "back" | `/${string}`) {
  const frame = document(page, demo);
  const arrived = frame.waitForNavigation();
  // With a delay: the result of this call belongs to the old page.
  await frame.evaluate(
    (to) => void setTimeout(() => (to === "reload" ? location.reload() : to === "back" ? history.back() : location.assign(to))),
    to,
  );
  await arrived;
}

/** The element in the portal's page, opened. */
async function open(page: Page, demo: Demo) {
  await listen(page);
  await page.goto(demo.portal + SENDING);
  await wait(page, "ready");
}

/** Fills the form for one of the sandbox's personas, and saves the first step. */
async function fill(frame: FrameLocator, login: string) {
  await frame.getByRole("link", { name: "Ajouter", exact: true }).click();
  await frame.locator(".search.shown").waitFor();
  await frame.getByRole("radio", { name: "Bac à sable (sandbox)", exact: true }).check();
  await frame.getByLabel("Identifiant SMTP", { exact: true }).fill(login);
  await frame.getByLabel("Mot de passe SMTP", { exact: true }).fill(PASSWORD);
  await frame.locator("#content .actions").getByRole("button", { name: "Valider" }).click();
  await expect(frame.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible();
}

async function add(frame: FrameLocator, login: string) {
  await fill(frame, login);
  await frame.locator("#content .actions").getByRole("button", { name: "Valider" }).click();
  await expect(frame.getByRole("button", { name: "Tester" })).toBeVisible();
}

const toList = (frame: FrameLocator) => frame.getByRole("navigation").getByRole("link", { name: "Profils SMTP" }).click();

/** The list reports that its session has five seconds left, until it is renewed. */
async function shorten(page: Page) {
  await page.addInitScript(() => {
    if (location.pathname !== "/profiles") return;
    const post = MessagePort.prototype.postMessage;
    MessagePort.prototype.postMessage = function (this: MessagePort, message: any) {
      MessagePort.prototype.postMessage = post;
      post.call(this, { ...message, seconds: "5" });
    } as typeof post;
  });
  await toList(inside(page));
}

/** Pages on an origin that no portal has registered. */
async function foreign(pages: Record<string, string>): Promise<{ origin: string; server: Server }> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(pages[request.url!.split("?")[0]] ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return { origin: `http://localhost:${(server.address() as AddressInfo).port}`, server };
}

test("any page may load the script, and it is small @wasm", async ({ demo }) => {
  const answer = await fetch(`${demo.configurator}/embed.js`, { headers: { "accept-encoding": "br" } });
  const { headers } = answer;
  expect(answer.status).toBe(200);
  expect(headers.get("content-type")).toContain("text/javascript");
  expect([headers.get("access-control-allow-origin"), headers.get("cross-origin-resource-policy")]).toEqual(["*", "cross-origin"]);
  expect(brotliCompressSync(await answer.text()).length).toBeLessThan(5 * 1024);
});

test("it opens, is as tall as its content, and can be reached by name and keyboard @wasm", async ({ page, demo }) => {
  const addresses: string[] = [];
  page.on("request", (request) => addresses.push(request.url()));
  await open(page, demo);
  const frame = inside(page);
  await expect(frame.getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
  await expect(page.getByTitle("Configuration de l’envoi des e-mails")).toBeVisible();
  const heights = async () => ({
    // Zero while one page follows another.
    content: await document(page, demo).evaluate(() => window.document.documentElement.offsetHeight).catch(() => 0),
    frame: await page.locator("smtp-configurator iframe").evaluate((iframe: HTMLIFrameElement) => iframe.offsetHeight),
  });
  await expect.poll(async () => { const { content, frame } = await heights(); return frame - content; }).toBe(0);
  const before = (await heights()).frame;
  await toList(frame);
  await frame.getByRole("link", { name: "Ajouter", exact: true }).click();
  await expect(frame.getByRole("group", { name: "Vos Informations" })).toBeVisible();
  await expect.poll(async () => { const { content, frame } = await heights(); return frame - content; }).toBe(0);
  expect((await heights()).frame).toBeGreaterThan(before + 200);
  expect((await heard(page, "resize")).at(-1)!.detail.height).toBe((await heights()).frame);
  expect(await heard(page, "ready")).toHaveLength(1);
  await page.evaluate(() => window.document.querySelector<HTMLElement>("smtp-configurator")!.focus());
  expect(await page.evaluate(() => window.document.activeElement!.localName)).toBe("smtp-configurator");
  expect(addresses.filter((address) => /token=|eyJ/.test(address))).toEqual([]);
});

test("it tells what is saved, tested, changed and deleted, once each @wasm", async ({ page, demo }) => {
  test.setTimeout(90_000);
  await open(page, demo);
  const frame = inside(page);
  // The mode.
  await frame.getByRole("radio", { name: "Par vos propres comptes SMTP" }).check();
  await frame.getByRole("button", { name: "Enregistrer" }).click();
  expect(await wait(page, "mode-changed")).toEqual({ mode: "own_smtp" });
  await frame.getByRole("radio", { name: /portail|serveur/i }).first().check();
  await frame.getByRole("button", { name: "Enregistrer" }).click();
  expect(await wait(page, "mode-changed", 2)).toEqual({ mode: "portal" });
  // Saved, at each of the two steps.
  await toList(frame);
  await fill(frame, "boutique@sandbox.example");
  const { id } = await wait(page, "profile-saved");
  expect(id).toMatch(/^[\da-f-]{36}$/);
  // Reloading a page and going back fire no event again.
  await moves(page, demo, "reload");
  await expect(frame.getByRole("heading", { name: "Encodage SMTP" })).toBeVisible();
  await frame.locator("#content .actions").getByRole("button", { name: "Valider" }).click();
  expect(await wait(page, "profile-saved", 2)).toEqual({ id });
  await frame.getByRole("link", { name: "Mode d’envoi" }).click();
  await expect(frame.getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
  await moves(page, demo, "back");
  await expect(frame.getByRole("button", { name: "Tester" })).toBeVisible();
  // A successful test, in the page. The portal's page scrolls to the result: the frame itself does not scroll.
  await page.setViewportSize({ width: 390, height: 560 });
  await frame.getByRole("button", { name: "Tester" }).click();
  expect(await wait(page, "test-succeeded", 1, 30_000)).toEqual({ id });
  await expect(frame.locator("[data-verdict] h2")).toBeInViewport({ ratio: 1 });
  await page.setViewportSize({ width: 1280, height: 720 });
  // And a failed one.
  await add(frame, "mot-de-passe@sandbox.example");
  const other = (await wait(page, "profile-saved", 4)).id;
  await frame.getByRole("button", { name: "Tester" }).click();
  expect(await wait(page, "test-failed", 1, 30_000)).toEqual({ id: other, cause: "bad_credentials" });
  await expect(frame.locator("[data-verdict] h2")).toBeInViewport({ ratio: 1 });
  // Opening the report again is not a test.
  await moves(page, demo, `/profiles/report?id=${id}`);
  await expect(frame.locator("[data-verdict]")).toBeVisible();
  // Deleted.
  await moves(page, demo, `/profiles/delete?id=${id}`);
  await frame.getByRole("button", { name: "Supprimer" }).click();
  expect(await wait(page, "profile-deleted")).toEqual({ id });
  expect(await heard(page, "test-succeeded", "test-failed")).toHaveLength(2);
  expect(await heard(page, "profile-saved")).toHaveLength(4);
  expect(await heard(page, "error", "session-expired")).toEqual([]);
  await expect(page.locator("#events li", { hasText: "profile-deleted" })).toHaveCount(1);
  // Ids and codes only.
  expect(JSON.stringify(await heard(page, ...NAMES))).not.toMatch(/@|sandbox|Martin|Claire/);
});

test("two on a page, the script loaded twice @wasm", async ({ page, demo }) => {
  await open(page, demo);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.evaluate(async (source) => {
    const script = Object.assign(window.document.createElement("script"), { src: source, nonce: window.document.querySelector<any>("script[nonce]").nonce });
    const loaded = new Promise((resolve) => (script.onload = resolve));
    window.document.head.append(script);
    await loaded;
    const second = window.document.createElement("smtp-configurator");
    for (const [name, value] of Object.entries({ id: "second", page: "profiles", locale: "en", "token-url": "/boulangerie-martin/token" })) second.setAttribute(name, value);
    window.document.querySelector("main")!.append(second);
  }, `${demo.configurator}/embed.js?again`);
  await wait(page, "ready", 2);
  expect((await heard(page, "ready")).map(({ from }) => from)).toEqual(["", "second"]);
  const [first, second] = [page.frameLocator("smtp-configurator:not(#second) iframe"), page.frameLocator("#second iframe")];
  await expect(first.getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
  await expect(second.getByRole("link", { name: "Add", exact: true })).toBeVisible();
  await expect(page.getByTitle("How emails are sent: settings")).toBeVisible();
  // Two at once, from the start, and a third that is removed while it opens.
  await page.evaluate(() => {
    for (const element of window.document.querySelectorAll<any>("smtp-configurator")) element.reload();
    const third = window.document.createElement("smtp-configurator");
    third.setAttribute("token-url", "/boulangerie-martin/token");
    window.document.body.append(third);
    setTimeout(() => third.remove(), 50);
  });
  await wait(page, "ready", 4, 20_000);
  await first.getByRole("link", { name: "SMTP", exact: false }).first().click();
  expect(await heard(page, "error", "session-expired")).toEqual([]);
  expect(problems).toEqual([]);
});

test("when the portal gives no token it says so, and tries again @wasm", async ({ page, demo }) => {
  await listen(page);
  let down = true;
  await page.route(/\/boulangerie-martin\/token$/, (route) => (down ? route.fulfill({ status: 503, body: "" }) : route.continue()));
  await page.goto(demo.portal + SENDING);
  expect(await wait(page, "error")).toEqual({ code: "token-unavailable" });
  await expect(page.getByText("Le configurateur ne répond pas pour le moment.")).toBeVisible();
  down = false;
  await page.getByRole("button", { name: "Réessayer" }).click();
  await wait(page, "ready");
  await expect(page.getByText("Le configurateur ne répond pas pour le moment.")).toBeHidden();
  await expect(inside(page).getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
});

test("when Facteur is silent or refuses, the portal's own words and button stand there @wasm", async ({ page, demo }) => {
  await open(page, demo);
  let answer: "silent" | "refused" | "well" = "silent";
  await page.route(/\/session$/, (route) => (answer === "silent" ? undefined : route.continue()));
  await page.route(/\/boulangerie-martin\/token$/, (route) => (answer === "refused" ? route.fulfill({ body: "nonsense" }) : route.continue()));
  await page.evaluate(() => {
    const element = window.document.querySelector<any>("smtp-configurator");
    const say = (name: string, properties: object, ...children: (string | Node)[]) => {
      const made = Object.assign(window.document.createElement(name), properties);
      made.append(...children);
      return made;
    };
    element.append(say("p", {}, "Un instant…"), say("p", { slot: "retry" }, "Revenez plus tard.", say("button", {}, "Encore")));
    element.setAttribute("timeout", "2");
    element.reload();
  });
  await expect(page.getByText("Un instant…")).toBeVisible();
  expect(await wait(page, "error")).toEqual({ code: "unreachable" });
  await expect(page.getByText("Un instant…")).toBeHidden();
  answer = "refused";
  await page.getByRole("button", { name: "Encore" }).click();
  expect(await wait(page, "error", 2)).toEqual({ code: "token-refused" });
  answer = "well";
  await page.getByRole("button", { name: "Encore" }).click();
  await wait(page, "ready", 2);
  await expect(page.getByRole("button", { name: "Encore" })).toBeHidden();
  // A page of the frame that does not load is detected too.
  await page.route(/\/profiles$/, (route) => route.abort());
  await toList(inside(page));
  expect(await wait(page, "error", 3)).toEqual({ code: "unreachable" });
  await expect(page.getByRole("button", { name: "Encore" })).toBeVisible();
});

test("the function of the page wins over the address; page, language and theme are wishes @wasm", async ({ page, demo }) => {
  await open(page, demo);
  await page.evaluate((token) => {
    const element = window.document.querySelector<any>("smtp-configurator");
    element.fetchToken = async () => token;
    for (const [name, value] of Object.entries({ page: "profiles", locale: "en", theme: "dark" })) element.setAttribute(name, value);
  }, sign(demo, { account: { id: "velo-dubois", name: "Atelier Vélo Dubois" }, sub: "hugo" }));
  await wait(page, "ready", 2);
  const frame = inside(page);
  await expect(frame.getByRole("heading", { name: "SMTP profiles" })).toBeVisible();
  const scheme = () => document(page, demo).evaluate(() => getComputedStyle(window.document.documentElement).colorScheme);
  await expect.poll(scheme).toBe("dark");
  const theme = (value: string) => page.evaluate((value) => window.document.querySelector("smtp-configurator")!.setAttribute("theme", value), value);
  await theme("light");
  await expect.poll(scheme).toBe("light");
  // The next document has the theme too, without a further message.
  await frame.getByRole("link", { name: "Add", exact: true }).click();
  await expect(frame.locator("html[data-theme=light]")).toHaveCount(1);
  await expect(frame.locator('input[name="form_owner"]').first()).toHaveValue(/ Atelier Vélo Dubois /);
  await theme("url(//evil.example) }");
  await theme("system");
  await expect.poll(scheme).toBe("light dark");
  await page.evaluate(() => window.document.querySelector("smtp-configurator")!.setAttribute("locale", "../../x"));
  expect(await wait(page, "error")).toEqual({ code: "token-refused" });
});

test("the portal's colours are taken as far as they are values, and stay for the next page @wasm", async ({ page, demo }) => {
  await open(page, demo);
  const root = inside(page).locator("html");
  await page.evaluate(() => {
    const element = window.document.querySelector<any>("smtp-configurator");
    element.variables = { brand: "#0b57d0", radius: "0px", text: "url(//evil.example)", font: "x;}body{display:none" };
  });
  await expect(root).toHaveCSS("--radius", "0rem");
  await expect(root).toHaveCSS("--brand", /#0b57d0/);
  for (const name of ["--ink", "--font"]) await expect(root).not.toHaveCSS(name, /evil|display/);
  await toList(inside(page));
  await expect(inside(page).getByRole("link", { name: "Ajouter", exact: true })).toBeVisible();
  await expect(root).toHaveCSS("--radius", "0rem");
});

test("a session is renewed before it ends @wasm", async ({ page, demo }) => {
  await open(page, demo);
  await shorten(page);
  const response = await page.waitForResponse(/\/session\/renew$/);
  expect([response.status(), response.headers()["session-seconds"]]).toEqual([204, "3600"]);
  await page.waitForTimeout(2_500);
  expect(await heard(page, "session-expired", "error")).toEqual([]);
});

test("another person's token renews nothing: the session ends and that person's begins @wasm", async ({ page, demo }) => {
  await open(page, demo);
  await shorten(page);
  const [renewing, opening] = [sign(demo, { sub: "karim" }), sign(demo, { sub: "karim" })];
  await page.evaluate((tokens) => (window.document.querySelector<any>("smtp-configurator").fetchToken = async () => tokens.shift()), [renewing, opening]);
  await wait(page, "session-expired");
  await wait(page, "ready", 2);
  expect(await heard(page, "error")).toEqual([]);
});

test("a session that the portal ends is opened again, if the portal still gives tokens @wasm", async ({ page, demo }) => {
  await open(page, demo);
  const revoke = (token: string) =>
    fetch(`${demo.configurator}/api/v1/sessions/revoke`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  expect((await revoke(sign(demo))).status).toBe(204);
  await toList(inside(page));
  await wait(page, "session-expired");
  await wait(page, "ready", 2);
  await page.route(/\/boulangerie-martin\/token$/, (route) => route.fulfill({ status: 401, body: "" }));
  expect((await revoke(sign(demo))).status).toBe(204);
  await toList(inside(page));
  await wait(page, "session-expired", 2);
  expect(await wait(page, "error")).toEqual({ code: "token-unavailable" });
  await expect(page.getByRole("button", { name: "Réessayer" })).toBeVisible();
});

test("where the browser refuses the cookie, a press opens a tab @wasm", async ({ page, demo, context }) => {
  let refusing = true;
  await context.route(/\/session$/, async (route) => {
    if (!refusing) return route.continue();
    const response = await route.fetch({ maxRedirects: 0, headers: { ...route.request().headers(), "sec-fetch-dest": "iframe" } });
    // A fetch of the test stores cookies in the browser.
    await context.clearCookies();
    const { "set-cookie": _, ...headers } = response.headers();
    await route.fulfill({ status: response.status(), headers, body: "" });
  });
  await listen(page);
  await page.goto(demo.portal + SENDING);
  expect(await wait(page, "error")).toEqual({ code: "cookies-refused" });
  const button = inside(page).getByRole("button", { name: "Ouvrir dans un nouvel onglet" });
  refusing = false;
  const [tab] = await Promise.all([context.waitForEvent("page"), button.click()]);
  await expect(tab.getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
  expect(tab.url()).toBe(`${demo.configurator}/sending-mode`);
  expect(await tab.evaluate(() => window.opener)).toBeNull();
  expect(await heard(page, "ready")).toEqual([]);
});

test("leaving the page takes everything along @wasm", async ({ page, demo }) => {
  await open(page, demo);
  await page.evaluate(() => {
    const element = ((window as any).kept = window.document.querySelector("smtp-configurator")!);
    element.remove();
  });
  await expect(page.locator("iframe")).toHaveCount(0);
  await page.evaluate(() => window.document.querySelector("main")!.append((window as any).kept));
  await wait(page, "ready", 2);
  await expect(inside(page).getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
});

test("forged messages change nothing and say nothing @wasm", async ({ page, demo }) => {
  await open(page, demo);
  const stranger = await foreign({ "/": "<!doctype html><title>Stranger</title>" });
  try {
    const quiet = NAMES.filter((name) => name !== "resize");
    const before = await heard(page, ...quiet);
    // From the portal's own page and from the frame itself: neither is the parent of the frame or the frame of the
    // page.
    const forged = [
      { facteur: 1, type: "hello" }, { facteur: 1, type: "profile-saved", id: "x" }, { facteur: 2, type: "hello" }, { facteur: 1, type: "tab" },
      null, 7, "facteur", { facteur: { facteur: 1 } }, { facteur: 1, type: "__proto__" }, { facteur: 1, type: "x".repeat(2_000_000) },
    ];
    await page.evaluate((forged) => forged.forEach((message) => postMessage(message, "*")), forged);
    await document(page, demo).evaluate((forged) => {
      const heard: unknown[] = ((window as any).got = []);
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => heard.push(data);
      postMessage({ facteur: 1, type: "port" }, "*", [port2]);
      forged.forEach((message) => parent.postMessage({ ...(message as object), type: (message as any)?.type === "hello" ? "tab" : (message as any)?.type }, "*"));
    }, forged);
    // A foreign page that opens the portal's page and knows the protocol.
    const evil = await page.context().newPage();
    await evil.goto(stranger.origin);
    const [opened] = await Promise.all([
      page.context().waitForEvent("page"),
      evil.evaluate((address) => void ((window as any).portal = open(address)), demo.portal + SENDING),
    ]);
    await expect(opened.frameLocator("smtp-configurator iframe").getByRole("heading")).toBeVisible();
    await opened.waitForTimeout(500);
    const got = await evil.evaluate(async (forged) => {
      const got: unknown[] = [];
      addEventListener("message", ({ data }) => got.push(data));
      const { portal } = window as any;
      // The frame is in the element's shadow tree: it is not even among the page's frames.
      if (portal.length) got.push("frames");
      for (const target of [portal]) {
        for (const message of forged) target.postMessage(message, "*");
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => got.push(data);
        target.postMessage({ facteur: 1, type: "port" }, "*", [port2]);
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return got;
    }, forged);
    expect(got).toEqual([]);
    await expect(opened.locator("#events li")).toHaveText(["ready"]);
    expect(await document(page, demo).evaluate(() => (window as any).got)).toEqual([]);
    expect(await heard(page, ...quiet)).toEqual(before);
  } finally {
    stranger.server.close();
  }
});

test("a foreign page neither frames, nor opens, nor replays @wasm", async ({ page, demo }) => {
  await open(page, demo);
  const used: string[] = [];
  page.on("request", (request) => { if (request.url().endsWith("/session")) used.push(new URLSearchParams(request.postData()!).get("token")!); });
  await page.evaluate(() => window.document.querySelector<any>("smtp-configurator").reload());
  await wait(page, "ready", 2);
  expect(used).toHaveLength(1);
  const stranger = await foreign({
    "/": `<!doctype html><script src="${demo.configurator}/embed.js"></script>
      <smtp-configurator timeout="3"></smtp-configurator><iframe src="${demo.configurator}/profiles"></iframe>
      <script>got = []; addEventListener("message", ({ data }) => got.push(data)); said = [];
      for (const name of ${JSON.stringify(NAMES)}) document.addEventListener(name, ({ detail }) => said.push([name, detail]), { capture: true })</script>`,
    "/post": `<!doctype html><form method="post" action="${demo.configurator}/session"><input name="token"><button>Go</button></form>`,
  });
  try {
    const evil = await page.context().newPage();
    // With a valid token of its victim, which it should never have got.
    await evil.goto(stranger.origin);
    await evil.evaluate((token) => (window.document.querySelector<any>("smtp-configurator").fetchToken = async () => token), sign(demo));
    await evil.waitForTimeout(4_000);
    expect(await evil.evaluate(() => (window as any).got)).toEqual([]);
    expect(await evil.evaluate(() => (window as any).said)).toEqual([["error", { code: "unreachable" }]]);
    for (const frame of evil.frames().slice(1)) await expect(frame.locator("body")).not.toContainText("SMTP");
    for (const token of [sign(demo), used[0]]) {
      await evil.goto(`${stranger.origin}/post`);
      await evil.locator("input").fill(token);
      const [response] = await Promise.all([evil.waitForResponse(/\/session$/), evil.getByRole("button").click()]);
      expect([response.status(), response.headers()["set-cookie"]]).toEqual([401, undefined]);
    }
    // From the portal's own page, too, a token works once.
    await page.evaluate((token) => (window.document.querySelector<any>("smtp-configurator").fetchToken = async () => token), used[0]);
    await page.evaluate(() => window.document.querySelector<any>("smtp-configurator").reload());
    expect(await wait(page, "error")).toEqual({ code: "token-refused" });
    await page.evaluate(() => (window.document.querySelector<any>("smtp-configurator").fetchToken = undefined));
    await wait(page, "ready", 3);
    // Nor may it renew or end a session.
    await evil.goto(stranger.origin);
    const statuses = await evil.evaluate(async ([origin, token]) => {
      const send = (path: string, init: RequestInit) => fetch(origin + path, { method: "POST", credentials: "include", ...init }).then(({ status }) => status, () => "refused");
      return [
        await send("/session/renew", { mode: "no-cors", body: new URLSearchParams({ token }) }),
        await send("/api/v1/sessions/revoke", { headers: { authorization: `Bearer ${token}` } }),
      ];
    }, [demo.configurator, sign(demo)]);
    expect(statuses).toEqual([0, "refused"]);
    await toList(inside(page));
    await expect(inside(page).getByRole("link", { name: "Ajouter", exact: true })).toBeVisible();
  } finally {
    stranger.server.close();
  }
});

test("without JavaScript a bare frame stands there @without", async ({ page, demo }) => {
  await page.goto(demo.portal + SENDING);
  const frame = page.frameLocator("iframe.configurator");
  await frame.getByRole("button", { name: "Ouvrir le configurateur" }).click();
  await expect(frame.getByRole("heading", { name: "Mode d’envoi des emails" })).toBeVisible();
  await expect(page.locator(".events")).toBeHidden();
});
