// Where <smtp-configurator> sends a token: only to the Facteur that its page or its script names.
import type { Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import config from "../playwright.config";
import { type Demo, expect, test } from "./demo";

// Pages that a test makes up have no address; Chromium would forbid them requests to this machine.
const { executablePath, args } = config.use!.launchOptions!;
test.use({ launchOptions: { executablePath, args: [...args!, "--disable-features=LocalNetworkAccessChecks"] } });

const TOKEN = "/boulangerie-martin/token";
const WORKS = ["ready"];

/**
 * A third party's host: any path gives a script that does nothing, below `/copy/` a copy of `element`; everything
 * posted there is recorded.
 */
async function vendor(element = "") {
  const posted: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "POST") posted.push(request.url!);
    response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
    response.setHeader("content-type", "text/javascript");
    response.end(request.method === "POST" ? "token" : request.url!.startsWith("/copy/") ? element : "0");
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return { posted, origin: `http://localhost:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/**
 * A page of the portal with this markup: the element's events, and every address that something was posted to. The
 * files of the npm package are under `/npm/`, Facteur's element as a bundle is `/bundle.js`.
 */
async function visit(page: Page, demo: Demo, markup: string): Promise<{ said: string[]; posted: string[] }> {
  const posted: string[] = [];
  page.on("request", (request) => { if (request.method() === "POST") posted.push(request.url()); });
  const served = await (await fetch(`${demo.configurator}/embed.js`)).text();
  await page.route(`${demo.portal}/npm/*`, (route) =>
    route.fulfill({ contentType: "text/javascript", body: readFileSync(join("../packages/embed", new URL(route.request().url()).pathname.slice(5)), "utf8") }));
  await page.route(`${demo.portal}/bundle.js**`, (route) => route.fulfill({ contentType: "text/javascript", body: served }));
  await page.route(`${demo.portal}/page`, (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: `<!doctype html><script>
    said = [];
    for (const name of ["ready", "error"]) addEventListener(name, ({ detail }) => detail && said.push(detail.code ?? name), { capture: true });
    </script>${markup}` }));
  await page.goto(`${demo.portal}/page`);
  await expect.poll(() => page.evaluate(() => (window as any).said.length), { message: markup, timeout: 20_000 }).toBeGreaterThan(0);
  return { said: await page.evaluate(() => (window as any).said), posted };
}

const element = (attributes = "") => `<smtp-configurator timeout="10" token-url="${TOKEN}" ${attributes}></smtp-configurator>`;

test("as a script and as a module of Facteur's it knows where it came from @wasm", async ({ page, demo, context }) => {
  const script = await visit(page, demo, `<script src="${demo.configurator}/embed.js"></script>${element()}`);
  expect(script.said).toEqual(WORKS);
  expect(script.posted).toEqual([demo.portal + TOKEN, `${demo.configurator}/session`]);
  for (const markup of [
    `<script type="module" src="${demo.configurator}/embed.mjs"></script>${element()}`,
    `${element()}<script type="module">await import("${demo.configurator}/embed.mjs?2")</script>`,
  ]) expect((await visit(await context.newPage(), demo, markup)).said).toEqual(WORKS);
});

test("in a bundle it gets an address, or sends nothing @wasm", async ({ demo, context }) => {
  const other = await vendor(await (await fetch(`${demo.configurator}/embed.js`)).text());
  try {
    const vendors = `<script src="${other.origin}/embed.js"></script><script src="${other.origin}/x/embed.js?y=/embed.js" async></script>`;
    for (const [markup, said] of [
      // The package, as a bundler assembles it.
      [`${vendors}<script type="module">import "/npm/index.js"</script>${element()}`, ["src-missing"]],
      [`${vendors}<script type="module">import "/npm/embed.js"</script>${element()}`, ["src-missing"]],
      [`${vendors}<script type="module">import { configure } from "/npm/index.js"; configure({ src: "${demo.configurator}/" })</script>${element()}`, WORKS],
      [`${vendors}<script type="module">import "/npm/index.js"</script>${element(`src="${demo.configurator}"`)}`, WORKS],
      // A copy of the package on a host for packages.
      [`${vendors}<script src="/npm/embed.js"></script>${element()}`, ["src-missing"]],
      // Facteur's own file contains its address: as a module, in a bundle, in the page, from memory, late, on a third
      // party's host.
      [`${vendors}<script src="${other.origin}/copy/embed.js"></script>${element()}`, WORKS],
      [`${vendors}<script type="module" src="${other.origin}/copy/embed.mjs"></script>${element()}`, WORKS],
      [`${vendors}<script type="module" src="${demo.configurator}/embed.js"></script>${element()}`, WORKS],
      [`${vendors}<script src="/bundle.js"></script>${element()}`, WORKS],
      [`${vendors}<script>fetch("/bundle.js").then((a) => a.text()).then((text) => document.head.append(Object.assign(document.createElement("script"), { textContent: text })))</script>${element()}`, WORKS],
      [`${vendors}<script>fetch("/bundle.js").then((a) => a.blob()).then((blob) => document.head.append(Object.assign(document.createElement("script"), { src: URL.createObjectURL(blob) })))</script>${element()}`, WORKS],
      [`${vendors}<script>fetch("/bundle.js").then((a) => a.text()).then((text) => document.head.append(Object.assign(document.createElement("script"), { src: "data:text/javascript," + encodeURIComponent(text) + "//embed.js" })))</script>${element()}`, WORKS],
      [`${vendors}<script>fetch("/bundle.js").then((a) => a.text()).then(eval)</script>${element()}`, WORKS],
    ] as [string, string[]][]) {
      const page = await context.newPage();
      const seen = await visit(page, demo, markup);
      expect(seen.said, markup).toEqual(said);
      expect(seen.posted, markup).toEqual(said === WORKS ? [demo.portal + TOKEN, `${demo.configurator}/session`] : []);
      await page.close();
    }
    expect(other.posted).toEqual([]);
  } finally {
    other.close();
  }
});

test("a page's markup does not move it @wasm", async ({ demo, context }) => {
  const other = await vendor();
  const script = `<script src="${demo.configurator}/embed.js"></script>`;
  const base = `<base href="${other.origin}/">`;
  try {
    for (const [markup, said] of [
      // Elements with the names of properties of `document`.
      [`<img name="currentScript" src="${other.origin}/embed.js">${script}${element()}`, WORKS],
      [`<form name="currentScript"><input name="src" value="${other.origin}/embed.js"></form>${script}${element()}`, WORKS],
      [`<img name="body"><a name="baseURI" href="${other.origin}/"></a><a id="location" href="${other.origin}/"></a>${script}${element()}`, WORKS],
      // Relative addresses are resolved against the page, regardless of <base>.
      [`${base}${script}${element()}`, WORKS],
      [`${script}${base}${element('src="/nowhere/"')}`, ["audience-mismatch"]],
      [`<script src="/bundle.js?/embed.js"></script>${base}${element()}`, WORKS],
      [`<img name="createElement"><form name="createElement"></form>${script}${element()}`, WORKS],
      // Addresses that Facteur cannot have.
      ...["javascript:alert(1)", "data:text/html,x", "blob:https://x/1", "http://facteur.example/", "https://user@facteur.example/", "http://localhost.evil.example/", "file:///", "https://"].map(
        (src): [string, string[]] => [`${script}${element(`src="${src}"`)}`, ["src-invalid"]]),
    ] as [string, string[]][]) {
      const page = await context.newPage();
      const seen = await visit(page, demo, markup);
      expect(seen.said, markup).toEqual(said);
      const [token, session] = [demo.portal + TOKEN, `${demo.configurator}/session`];
      const expected = { ready: [token, session], "audience-mismatch": [token] }[said[0]] ?? [];
      expect(seen.posted, markup).toEqual(expected);
      await page.close();
    }
    expect(other.posted).toEqual([]);
  } finally {
    other.close();
  }
});

test("a base that comes after the script was asked for gets no token @wasm", async ({ page, demo }) => {
  const other = await vendor();
  try {
    // The portal's own proxy serves Facteur's script; untrusted markup follows.
    await page.route(`${demo.portal}/smtp/embed.js`, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.fulfill({ contentType: "text/javascript", body: await (await fetch(`${demo.configurator}/embed.js`)).text() });
    });
    const seen = await visit(page, demo, `<script src="/smtp/embed.js" async></script><base href="${other.origin}/">${element()}`);
    expect([seen.said, seen.posted, other.posted]).toEqual([WORKS, [demo.portal + TOKEN, `${demo.configurator}/session`], []]);
  } finally {
    other.close();
  }
});

test("a token goes only where the portal says that it may be used @wasm", async ({ page, demo }) => {
  const other = await vendor();
  try {
    // The portal signs for its own Facteur; the page names another.
    const seen = await visit(page, demo, `<script src="${demo.configurator}/embed.js"></script>${element(`src="${other.origin}/"`)}`);
    expect([seen.said, seen.posted, other.posted]).toEqual([["audience-mismatch"], [demo.portal + TOKEN], []]);
  } finally {
    other.close();
  }
});

test("a token that was copied opens nothing anywhere @wasm", async ({ page, demo }) => {
  let copied = "";
  await page.route(demo.portal + TOKEN, async (route) => {
    expect(new URLSearchParams(route.request().postData()!).get("audience")).toBe(demo.configurator);
    const response = await route.fetch();
    copied = await response.text();
    await route.fulfill({ response });
  });
  await page.route(`${demo.configurator}/session`, (route) => route.abort());
  await page.goto(`${demo.portal}/boulangerie-martin/settings/sending`);
  await expect.poll(() => copied).not.toBe("");
  // Not used yet, and a thief can forge any origin.
  for (const verifier of ["", "x"]) {
    const answer = await fetch(`${demo.configurator}/session`, {
      method: "POST", redirect: "manual", headers: { origin: demo.portal }, body: new URLSearchParams({ token: copied, verifier }),
    });
    expect(answer.status).toBe(401);
  }
});
