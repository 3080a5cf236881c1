// Runs the examples against `facteur serve`; called by scripts/test-examples, which installed their packages. The
// servers use the configurations of docs/embedding.md and docs/messages.md, "Quick start"; only hosts, ports and key
// files differ.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash, createHmac, createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const store = resolve(process.argv[2]);
const facteur = resolve("target/debug/facteur");
const folder = mkdtempSync(join(tmpdir(), "facteur-examples-"));
const counts = { passed: 0, failed: 0, skipped: 0 };
const running = [];
const began = Date.now();

const read = (path) => readFileSync(path, "utf8");
const run = (args, env = {}, cwd = folder) =>
  execFileSync(facteur, args, { cwd, encoding: "utf8", env: { ...process.env, ...env }, stdio: "pipe" });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks until `what` gives something. */
async function until(name, what) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await what();
    if (found) return found;
    await pause(50);
  }
  throw new Error(`in vain: ${name}`);
}

async function check(name, body) {
  try {
    if ((await body()) === SKIPPED) return;
    counts.passed++;
    console.log(`ok       ${name}`);
  } catch (error) {
    counts.failed++;
    console.log(`FAILED   ${name}\n${error.stack}\n${error.stderr ?? ""}`);
  }
}

function has(tool) {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const SKIPPED = Symbol("skipped");
function skip(name, why) {
  counts.skipped++;
  console.log(`\n*** SKIPPED: ${name}: ${why} ***\n`);
  return SKIPPED;
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Starts a program and waits until `url` answers. */
async function start(url, command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  child.log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (child.log += text));
  running.push(child);
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${child.log}`);
    try {
      await ask("GET", url);
      return child;
    } catch {
      await pause(50);
    }
  }
  throw new Error(`${command} does not answer: ${child.log}`);
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await ended;
}

/** A request as a browser sends it. `fetch` does not allow setting `Origin`. */
function ask(method, url, { headers = {}, form, body } = {}) {
  const sent = form ? new URLSearchParams(form).toString() : body;
  const all = { ...headers, ...(form && { "content-type": "application/x-www-form-urlencoded" }) };
  if (sent !== undefined) all["content-length"] = Buffer.byteLength(sent);
  return new Promise((done, failed) => {
    request(url, { method, headers: all }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, text }));
    }).on("error", failed).end(sent);
  });
}

/** A mail server that takes everything: what it took is in `taken`. */
function mailServer(port, taken) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    const say = (line) => socket.write(`${line}\r\n`);
    let [heard, message] = ["", null];
    say("220 sink.example");
    socket.setEncoding("utf8").on("data", (text) => {
      heard += text;
      for (let end; (end = heard.indexOf(message ? "\r\n.\r\n" : "\r\n")) >= 0; ) {
        const line = heard.slice(0, end);
        heard = heard.slice(end + (message ? 5 : 2));
        if (message) {
          taken.push({ ...message, text: line });
          message = null;
          say("250 2.0.0 taken");
        } else if (/^EHLO/i.test(line)) say("250-sink.example\r\n250 AUTH PLAIN");
        else if (/^AUTH/i.test(line)) say("235 2.7.0 welcome");
        else if (/^QUIT/i.test(line)) socket.end("221 2.0.0 goodbye\r\n");
        else if (/^DATA/i.test(line)) (message = {}), say("354 go on");
        else say("250 2.1.0 well");
      }
    });
  });
  const ended = () => new Promise((done) => (server.close(done), sockets.forEach((socket) => socket.destroy())));
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(ended)));
}

const [port, portalPort] = [await freePort(), await freePort()];
const url = `http://127.0.0.1:${port}`;
const portal = `http://127.0.0.1:${portalPort}`; // where we reach it…
const origin = `http://localhost:${portalPort}`; // …and what a browser calls it

const enter = (token, from = origin) => ask("POST", `${url}/session`, { headers: { origin: from }, form: { token } });
const cookieOf = (answer) => answer.headers["set-cookie"]?.[0].split(";")[0];
const profiles = (cookie) => ask("GET", `${url}/profiles`, { headers: { cookie, accept: "text/html" } });
const decoded = (token) => token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with these claims over good ones. */
function make({ claims = {}, header = {}, key }) {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: "my-portal", aud: "facteur", iat: now, exp: now + 120, jti: randomUUID(), sub: "7", email: "" };
  const full = { ...good, account: { id: "42", name: "Martin Bakery" }, ...claims };
  const signed = `${encode({ typ: "JWT", alg: "HS256", kid: "k1", ...header })}.${encode(full)}`;
  return `${signed}.${key(Buffer.from(signed)).toString("base64url")}`;
}
const shared = (secret) => (bytes) => createHmac("sha256", secret).update(bytes).digest();

// --- the server, as in the quick start ---

const embedding = read("docs/embedding.md");
const operating = read("docs/operating.md");
const messages = read("docs/messages.md");
const block = (text, name) => new RegExp(`<!-- ${name.replaceAll(".", "\\.")} -->\\n+\`\`\`\\w*\\n([^]*?)\`\`\``).exec(text)?.[1];

const quick = block(embedding, "quick-start/facteur.toml");
for (const name of ["vault.key", "portal.key", "second.key"]) run(["keys", "new", name]);
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
writeFileSync(join(folder, "ec.pem"), ec.publicKey.export({ type: "spki", format: "pem" }));
writeFileSync(join(folder, "ed.pem"), ed.publicKey.export({ type: "spki", format: "pem" }));
const more = `{ id = "k2", secret_file = "second.key" }, { id = "ec", public_key_file = "ec.pem" }, { id = "ed", public_key_file = "ed.pem" }`;
writeFileSync(
  join(folder, "facteur.toml"),
  quick
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${port}`)
    .replaceAll("localhost:4000", `localhost:${portalPort}`)
    .replace(/^keys = (\[\{ id = "k1".*)\]$/m, `keys = $1, ${more}]`),
);
const secret = read(join(folder, "portal.key")).trimEnd();

try {
  await check("the configuration of the quick start is valid", () => {
    assert.match(run(["config", "check"]), /is valid/);
    assert.match(read(join(folder, "facteur.toml")), /"ed\.pem"/);
  });
  const server = await start(`${url}/healthz`, facteur, ["serve"], { cwd: folder });

  await check("it is alive and ready", async () => {
    assert.equal((await ask("GET", `${url}/healthz`)).text, "ok");
    assert.equal((await ask("GET", `${url}/readyz`)).text, "ready");
  });

  // --- each example ---

  const examples = [
    ["node", "node", ["portal.mjs"]],
    ["python", "venv/bin/python", ["-m", "flask", "--app", "portal", "run", "--port", String(portalPort)]],
    ["php", "php", ["-S", `127.0.0.1:${portalPort}`, "portal.php"]],
  ];
  for (const [name, command, args] of examples) {
    let cwd = join(store, name);
    let title = name;
    if (!existsSync(join(cwd, "ready"))) {
      if (name !== "php" || !has("php")) {
        skip(`examples/${name}`, "what it needs is not here");
        continue;
      }
      skip("examples/php with firebase/php-jwt", "composer cannot get it here; token-without-composer.php takes its place");
    }
    const variants = name === "php" && existsSync(join(cwd, "ready")) ? ["token.php", "token-without-composer.php"] : [name === "php" ? "token-without-composer.php" : ""];
    for (const variant of variants) {
      if (variant) {
        title = `php, ${variant}`;
        cwd = join(folder, variant);
        cpSync(join(store, "php"), cwd, { recursive: true });
        if (variant !== "token.php") cpSync(join(cwd, variant), join(cwd, "token.php"));
      }
      const env = { ...process.env, FACTEUR_URL: url, FACTEUR_KEY_FILE: join(folder, "portal.key"), PORT: String(portalPort) };
      let child;
      try {
        child = await start(`${portal}/`, command.includes("/") ? join(cwd, command) : command, args, { cwd, env });
        await example(title);
      } catch (error) {
        await check(`${title}: starts`, () => { throw error; });
      } finally {
        if (child) await stop(child);
      }
    }
  }

  async function example(name) {
    const page = async (path) => {
      const answer = await ask("GET", portal + path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers["cache-control"], /no-store/);
      assert.ok(!answer.text.includes(secret), "the secret is in a page");
      return answer.text;
    };
    const tokenIn = (html) => /name="token" value="([\w.-]+)"/.exec(html)[1];
    let token;
    await check(`${name}: a page with a form, and what its token says`, async () => {
      const html = await page("/open");
      assert.match(html, new RegExp(`<form method="post" action="${url}/session"`));
      token = tokenIn(html);
      const [header, claims] = decoded(token);
      assert.deepEqual([header.alg, header.kid], ["HS256", "k1"]);
      assert.deepEqual([claims.iss, claims.aud, claims.exp - claims.iat], ["my-portal", url, 120]);
      assert.deepEqual(claims.account, { id: "42", name: "Martin Bakery" });
      assert.deepEqual([claims.sub, claims.name, claims.email], ["7", "Claire Martin", "claire@bakery.example"]);
      assert.notEqual(decoded(tokenIn(await page("/open")))[1].jti, claims.jti);
    });
    await check(`${name}: a tampered token, one from elsewhere, one without a signature: the same refusal`, async () => {
      const [head, body, signature] = token.split(".");
      const other = encode({ ...decoded(token)[1], account: { id: "43", name: "Another" } });
      const flipped = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
      const refusals = [
        await enter(`${head}.${other}.${signature}`),
        await enter(`${head}.${body}.${flipped}`),
        await enter(`${encode({ typ: "JWT", alg: "none", kid: "k1" })}.${body}.`),
        await enter(token, "https://elsewhere.example"),
        await enter(token, "null"),
        await enter("nonsense"),
        await ask("POST", `${url}/session`, { headers: { origin }, form: { jwt: token } }),
      ];
      for (const answer of refusals) {
        assert.equal(answer.status, 401);
        assert.equal(cookieOf(answer), undefined);
        // Only a registered origin gets more: a script for its frame, and the way back.
        const same = (text) => text.replace(/<script[^]*?<\/script>|<p class="actions">[^]*?<\/p>/g, "");
        assert.equal(same(answer.text), same(refusals[0].text));
      }
    });
    await check(`${name}: the token opens a session, once`, async () => {
      const answer = await enter(token);
      assert.deepEqual([answer.status, answer.headers.location], [303, "/sending-mode"]);
      assert.match(answer.headers["set-cookie"][0], /^__Host-facteur=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/);
      const shown = await profiles(cookieOf(answer));
      assert.equal(shown.status, 200);
      assert.match(shown.text, /Martin Bakery/);
      assert.ok(shown.headers["content-security-policy"].includes(`frame-ancestors ${origin}`));
      assert.equal((await enter(token)).status, 401);
    });
    await check(`${name}: the frame is the form's target`, async () => {
      const html = await page("/frame");
      const [, frame] = /<iframe name="(\w+)"/.exec(html);
      assert.ok(html.includes(`target="${frame}"`));
      assert.equal((await enter(tokenIn(html))).status, 303);
    });
    await check(`${name}: the element's page, and its token`, async () => {
      const html = await page("/element");
      assert.ok(html.includes(`src="${url}/embed.js"`) && html.includes('token-url="/facteur-token"'));
      assert.equal((await ask("GET", `${portal}/facteur-token`)).status >= 400, true);
      const answer = await ask("POST", `${portal}/facteur-token`);
      assert.match(answer.headers["content-type"], /text\/plain/);
      assert.match(answer.headers["cache-control"], /no-store/);
      assert.equal((await enter(answer.text.trim())).status, 303);
      // As the element requests it: the token is useless without the verifier.
      const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const bound = (await ask("POST", `${portal}/facteur-token`, { form: { audience: url, challenge } })).text.trim();
      assert.deepEqual([decoded(bound)[1].aud, decoded(bound)[1].challenge], [url, challenge]);
      const present = (form) => ask("POST", `${url}/session`, { headers: { origin }, form: { token: bound, ...form } });
      const answers = [await present({}), await present({ verifier: "x" }), await present({ verifier }), await present({ verifier })];
      assert.deepEqual(answers.map(({ status }) => status), [401, 401, 303, 401]);
    });
  }
  await check("a session is revoked by the portal's server", async () => {
    const revoke = (token, body) =>
      ask("POST", `${url}/api/v1/sessions/revoke`, { headers: { authorization: `Bearer ${token}` }, body });
    const ticket = (claims) => make({ claims: { email: undefined, account: { id: "42" }, ...claims }, key: shared(secret) });
    if ([403, 404].includes((await revoke("nonsense")).status)) return skip("revocation", "this server has none");
    const open = async (claims) => cookieOf(await enter(make({ claims, key: shared(secret) })));
    const isOpen = async (cookie) => (await profiles(cookie)).text.includes("Martin Bakery");
    const [claire, karim] = [await open({ sub: "7" }), await open({ sub: "8" })];
    assert.equal((await revoke("nonsense")).status, 401);
    assert.equal((await revoke(ticket(), JSON.stringify({ account: "43" }))).status, 400);
    assert.equal((await revoke(ticket(), "nonsense")).status, 400);
    assert.deepEqual([await isOpen(claire), await isOpen(karim)], [true, true]);
    const once = ticket();
    assert.deepEqual([(await revoke(once)).status, (await revoke(once)).status], [204, 401]);
    assert.deepEqual([await isOpen(claire), await isOpen(karim)], [false, true]);
    assert.equal((await revoke(ticket(), JSON.stringify({ account: "42", user: "8" }))).status, 403);
    assert.equal((await revoke(ticket({ sub: "0" }), JSON.stringify({ account: "42" }))).status, 403);
    assert.equal((await revoke(ticket({ sub: "8" }), JSON.stringify({ account: "42", usr: "8" }))).status, 400);
    assert.equal(await isOpen(karim), true);
    assert.equal((await revoke(ticket({ sub: "8" }), JSON.stringify({ account: "42", user: "8" }))).status, 204);
    assert.equal(await isOpen(karim), false);
  });
  const element = await ask("GET", `${url}/embed.js`);
  if (element.status === 200) {
    await check("embed.js is a script that any page may load", () => {
      assert.match(element.headers["content-type"], /javascript/);
      assert.match(element.text, /smtp-configurator/);
    });
  } else {
    skip("embed.js", "this server has none (make site)");
  }

  // --- what docs/embedding.md says about tokens ---

  const own = shared(secret);
  const opens = async (token) => (await enter(token)).status === 303;
  await check("keys: two at once, EdDSA, ES256; the algorithm is the key's", async () => {
    assert.ok(await opens(make({ key: own })));
    assert.ok(await opens(make({ header: { kid: "k2" }, key: shared(read(join(folder, "second.key")).trimEnd()) })));
    const es256 = (bytes) => sign("sha256", bytes, { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
    assert.ok(await opens(make({ header: { kid: "ec", alg: "ES256" }, key: es256 })));
    const eddsa = (bytes) => sign(null, bytes, createPrivateKey(ed.privateKey.export({ type: "pkcs8", format: "pem" })));
    assert.ok(await opens(make({ header: { kid: "ed", alg: "EdDSA" }, key: eddsa })));
    assert.ok(!(await opens(make({ header: { kid: "ed", alg: "HS256" }, key: shared(read(join(folder, "ed.pem"))) }))));
    assert.ok(!(await opens(make({ header: { kid: "k3" }, key: own }))));
    assert.ok(!(await opens(make({ header: { kid: undefined }, key: own }))));
    assert.ok(!(await opens(make({ header: { typ: "at+jwt" }, key: own }))));
  });
  const now = Math.floor(Date.now() / 1000);
  const people = (count) => Array.from({ length: count }, (_, id) => ({ id: String(id), name: "N" }));
  await check("claims: what is taken", async () => {
    for (const claims of [
      { iat: now, exp: now + 300 }, { iat: now - 100, exp: now - 20 }, { iat: now + 20, exp: now + 100 },
      { aud: ["facteur"] }, { aud: url }, { aud: [url, "https://other.example"] }, { email: "claire@bakery.example" }, { users: people(1000) }, { locale: "xx" },
      { page: "profiles" }, { page: "sending-mode" }, { return_url: "https://elsewhere.example/" }, { name: undefined },
      { theme: "pink" }, { sub: "é".repeat(128) }, { role: "whatever" },
    ]) assert.ok(await opens(make({ claims, key: own })), JSON.stringify(claims).slice(0, 80));
  });
  await check("claims: what is refused", async () => {
    for (const claims of [
      { iss: "another" }, { aud: "another" }, { aud: "https://other.example" }, { aud: ["facteur", "https://other.example"] }, { challenge: "x" }, { exp: now + 301, iat: now }, { exp: now - 40, iat: now - 100 },
      { iat: now + 40, exp: now + 100 }, { nbf: now + 40 }, { iat: now + 0.5 }, { iat: undefined }, { jti: undefined },
      { jti: "" }, { sub: "" }, { sub: 7 }, { sub: "a\nb" }, { sub: "a".repeat(257) }, { account: "42" },
      { account: { id: 42, name: "x" } }, { account: { id: "42" } }, { email: undefined }, { email: "nobody" },
      { users: people(1001) }, { users: [{ id: "1", name: "" }] }, { page: "elsewhere" },
    ]) assert.ok(!(await opens(make({ claims, key: own }))), JSON.stringify(claims).slice(0, 80));
  });
  await check("language, start page, way back", async () => {
    const shown = async (claims) => {
      const answer = await enter(make({ claims, key: own }));
      return { location: answer.headers.location, html: (await profiles(cookieOf(answer))).text };
    };
    const english = await shown({ locale: "en-GB", page: "profiles", return_url: `${origin}/settings?a=1` });
    assert.equal(english.location, "/profiles");
    assert.match(english.html, /<html lang="en"/);
    assert.ok(english.html.includes(`href="${origin}/settings?a=1"`));
    const elsewhere = await shown({ locale: "fr", return_url: "https://elsewhere.example/" });
    assert.match(elsewhere.html, /<html lang="fr"/);
    assert.ok(!elsewhere.html.includes("elsewhere.example"));
    assert.ok(elsewhere.html.includes(`href="${origin}/"`), "home");
  });
  await check("theme: in the token, over the configuration's, then at run time", async () => {
    const theme = { scheme: "dark", variables: { brand: { light: "#0b57d0", dark: "#a8c7fa" }, radius: "4px", text: "url(x)" } };
    const cookie = cookieOf(await enter(make({ claims: { theme }, key: own })));
    const { text } = await profiles(cookie);
    assert.match(text, /data-theme="dark"/);
    assert.match(text, /--brand:light-dark\(#0b57d0,#a8c7fa\)/);
    assert.match(text, /--radius:0\.25rem/);
    assert.ok(!text.includes("url(x)"));
    const headers = { cookie, origin: url, "content-type": "application/json" };
    const body = JSON.stringify({ scheme: "light", variables: { "font-size": "18px" } });
    const changed = await ask("POST", `${url}/session/theme`, { headers, body });
    const { scheme, variables } = JSON.parse(changed.text);
    assert.equal(scheme, "light");
    assert.equal(variables["--size"], "112.5%");
    assert.equal(variables["--brand"], "light-dark(#0b57d0,#a8c7fa)", "what is not named again stays");
    assert.match((await profiles(cookie)).text, /data-theme="light"/);
    const foreign = await ask("POST", `${url}/session/theme`, { headers: { ...headers, origin }, body });
    assert.equal(foreign.status, 403);
  });
  await check("the log has the words of the troubleshooting table, and nothing personal", async () => {
    await until("the last line", () => server.log.includes("request from another origin refused"));
    const log = server.log.replaceAll(/\x1b\[\d*m/g, "");
    for (const words of [
      "malformed token", "no portal registers this origin", "no portal has this key", "no form with a token",
      "signature, algorithm, issuer or audience is wrong",
      "not valid at this time", "a claim is missing or out of bounds", "used before", "request from another origin refused",
    ]) {
      assert.ok(log.includes(words), words);
      assert.ok(embedding.includes(words), `docs/embedding.md does not explain: ${words}`);
    }
    assert.ok(!/Claire|bakery|Martin|eyJ/.test(log), "a name, address or token is in the log");
  });
  await check("SIGTERM ends it well", async () => {
    await stop(server);
    assert.equal(server.exitCode, 0);
    assert.match(server.log, /stopped/);
  });

  // --- messages: docs/messages.md ---

  await portalsMessages();

  // --- the operator's files, and whether the documents are complete ---

  await check("examples/facteur.toml is valid, and the environment goes over it", () => {
    const place = mkdtempSync(join(folder, "operator-"));
    const text = read("examples/facteur.toml");
    writeFileSync(join(place, "facteur.toml"), text);
    execFileSync("mkdir", [join(place, "keys")]);
    for (const [, file] of text.matchAll(/^[^#\n]*(?:secret_)?file = "(keys\/[\w-]+)"/gm)) run(["keys", "new", join(place, file)]);
    const config = ["config", "check", "--config", join(place, "facteur.toml")];
    const env = { FACTEUR__DATABASE__PATH: join(place, "facteur.db") };
    assert.match(run(config, env), /is valid/);
    assert.match(run(config, { ...env, FACTEUR__SMTP__ALLOW_PORTS: "[25]", FACTEUR__TESTS__PER_PERSON: "3" }), /is valid/);
    for (const [name, value] of [["FACTEUR__SMTP__EHLO_NAME", "a b"], ["FACTEUR__TESTS__PER_PERSON", "0"], ["FACTEUR__SMTP__NOTHING", "1"]]) {
      assert.throws(() => run(config, { ...env, [name]: value }), (error) => error.status === 1, name);
    }
    // Optional settings that it mentions are valid, too.
    run(["keys", "webhook", join(place, "keys/my-portal-webhook")]);
    writeFileSync(join(place, "keys/my-portal-relay"), "a password\n", { mode: 0o600 });
    writeFileSync(join(place, "keys/oauth-microsoft"), "a secret\n", { mode: 0o600 });
    const on = (settings) => settings.replace(/^#(?=[[\w])/gm, "");
    const whole = text
      .replace("64 hexadecimal digits", createHash("sha256").update(randomUUID()).digest("hex"))
      .replace(/^    # (?=\{ id = "a1")/m, "    ")
      .replace(/^#\[metrics\][^]*?\n\n/m, on)
      .replace(/^#\[\[oauth\]\][^]*?\n\n/m, on)
      .replace(/^#\[portal\.relay\][^]*/m, on);
    assert.doesNotMatch(whole, /^#(\[|port |login |secret_files )/m);
    writeFileSync(join(place, "facteur.toml"), whole);
    assert.match(run(config, env), /is valid/);
  });
  await check("docs/operating.md and examples/facteur.toml name every setting", () => {
    const fields = [...read("server/src/config/sections.rs").matchAll(/^    pub (\w+):/gm)].map(([, name]) => name);
    assert.ok(fields.length > 40);
    const sections = ["server", "database", "vault", "smtp", "profiles", "tests", "outbox", "retention", "metrics", "portals", "oauth", "relay", "webhook"];
    for (const section of sections.filter((section) => !["portals", "oauth"].includes(section))) {
      assert.match(operating, new RegExp(`^### \`\\[(portal\\.)?${section}\\]\``, "m"), section);
    }
    for (const field of fields.filter((field) => !sections.includes(field))) {
      assert.ok(operating.includes(`\`${field}\``), `docs/operating.md: ${field}`);
      assert.ok(read("examples/facteur.toml").includes(`${field} =`) || field === "theme", `examples/facteur.toml: ${field}`);
    }
  });
  await check("docs/oauth.md names every setting", () => {
    const fields = [...read("server/src/config/sections/oauth.rs").matchAll(/^    pub (\w+):/gm)].map(([, name]) => name);
    assert.ok(fields.length > 12);
    for (const field of fields) assert.match(read("docs/oauth.md"), new RegExp(`\\b${field}\\b`), field);
  });
  await check("docs/embedding.md names every claim, and every variable with its default", () => {
    const rust = read("server/src/portal/token/claims.rs");
    const claims = /struct Claims \{([^]*?)\n\}/.exec(rust)[1];
    for (const [, claim] of claims.matchAll(/^    pub (\w+):/gm)) assert.ok(embedding.includes(`\`${claim}\``), claim);
    const theme = read("app/src/theme.rs");
    const tokens = read("style/tokens.css");
    const colours = [.../const COLOURS[^]*?= \[([^]*?)\];/.exec(theme)[1].matchAll(/\("([\w-]+)", "([\w-]+)"\)/g)];
    assert.equal(colours.length, 17);
    for (const [, name, variable] of colours) {
      const [, light, dark] = new RegExp(`--${variable}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(tokens);
      assert.ok(embedding.includes(`| \`${name}\` | \`${light}\` | \`${dark}\` |`), `${name}: ${light}, ${dark}`);
    }
    for (const name of ["font", "font-mono", "font-size", "radius", "spacing"]) assert.ok(embedding.includes(`| \`${name}\` |`), name);
  });
  await check("what the documents quote of the examples is what the files say", () => {
    for (const text of [embedding, operating, messages]) {
      for (const [, name] of text.matchAll(/<!-- (examples\/[\w./-]+) -->/g)) assert.equal(block(text, name), read(name), name);
    }
    assert.ok(block(embedding, "examples/node/token.mjs") && block(embedding, "examples/php/token.php") && block(embedding, "examples/python/facteur_token.py"));
    for (const name of ["node/send.mjs", "node/webhook.mjs", "php/send.php", "php/webhook.php", "python/facteur_send.py", "python/facteur_webhook.py"]) {
      assert.ok(block(messages, `examples/${name}`), `docs/messages.md: ${name}`);
    }
  });
} finally {
  for (const child of running) await stop(child);
  rmSync(folder, { recursive: true, force: true });
}

/** The server of docs/messages.md: examples, the documents' words, backup and restore, rotation of keys. */
async function portalsMessages() {
  const place = mkdtempSync(join(folder, "messages-"));
  const [api, mail, hook, figures] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const facteurUrl = `http://127.0.0.1:${api}`;
  const facteurOf = (...args) => run(args, {}, place);
  const serve = () => start(`${facteurUrl}/healthz`, facteur, ["serve"], { cwd: place });

  for (const name of ["vault.key", "portal.key"]) facteurOf("keys", "new", name);
  facteurOf("keys", "webhook", "webhook.key");
  writeFileSync(join(place, "relay.key"), "a password\n", { mode: 0o600 });
  const [, key, hash] = /^ +(fct_[\w-]{43})$[^]*sha256 = "(\w{64})"/m.exec(facteurOf("keys", "api"));
  writeFileSync(join(place, "api.key"), `${key}\n`, { mode: 0o600 });
  const guard = `allow_networks = ["127.0.0.0/8"]\nallow_ports = [${mail}]\nplaintext_hosts = ["127.0.0.1"]`;
  const quickly = `[outbox]\nfirst_retry_seconds = 1\nlongest_retry_seconds = 1\n\n[metrics]\nlisten = "127.0.0.1:${figures}"`;
  const toml = [
    quick.replaceAll("127.0.0.1:3000", `127.0.0.1:${api}`).replace("[[portal]]", `${guard}\n\n${quickly}\n\n[[portal]]`),
    block(messages, "quick-start/messages.toml")
      .replace("THE HASH", hash).replace("smtp.example.com", "127.0.0.1").replace("587", mail).replace("starttls", "none"),
    block(messages, "quick-start/webhook.toml").replace("https://portal.example/", `http://127.0.0.1:${hook}/`),
  ].join("\n");
  writeFileSync(join(place, "facteur.toml"), toml);

  const taken = [];
  let mailEnds = await mailServer(mail, taken);
  const told = [];
  const listener = createHttpServer((asked, answer) => {
    const parts = [];
    asked.on("data", (part) => parts.push(part)).on("end", () => {
      told.push({ headers: asked.headers, body: Buffer.concat(parts).toString() });
      answer.writeHead(204).end();
    });
  }).listen(hook, "127.0.0.1");

  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const call = async (method, path, body) => {
    const answer = await ask(method, `${facteurUrl}/api/v1/messages${path}`, { headers, body: body && JSON.stringify(body) });
    return { status: answer.status, ...JSON.parse(answer.text) };
  };
  const give = async (subject) => {
    const given = await call("POST", "", { account: "42", to: ["claire@example.com"], subject, text: "Good morning" });
    assert.equal(given.status, 202, JSON.stringify(given));
    return given.id;
  };
  const reaches = (id, state) => until(`${id} is ${state}`, async () => (await call("GET", `/${id}`)).state === state);
  const copies = (subject) => taken.filter(({ text }) => text.includes(`Subject: ${subject}\r\n`));
  const genuine = () => until("an event", () => told.find(({ body }) => JSON.parse(body).type === "message.accepted"));

  let server;
  try {
    await check("the configuration of docs/messages.md is valid, and it serves", async () => {
      assert.match(facteurOf("config", "check"), /is valid/);
      server = await serve();
    });

    const env = { ...process.env, FACTEUR_URL: facteurUrl, FACTEUR_API_KEY_FILE: join(place, "api.key") };
    if (has("curl")) {
      await check("the request of the quick start is accepted", async () => {
        const line = block(messages, "quick-start/send").replace("http://127.0.0.1:3000", facteurUrl);
        const { stdout } = await promisify(execFile)("bash", ["-c", line], { env: { ...env, FACTEUR_API_KEY: key } });
        assert.match(stdout, /^HTTP\/1\.1 202/);
        await reaches(JSON.parse(stdout.split("\r\n\r\n")[1]).id, "accepted");
        assert.match(copies("Quote 2041")[0].text, /^From: "My Portal"\s+<post@portal\.example>\r$/m);
      });
    } else {
      skip("the request of the quick start", "no curl");
    }

    const inNode = `import { send } from "./send.mjs"; console.log(JSON.stringify(await send(JSON.parse(process.argv[1]), process.argv[2])))`;
    const inPhp = `require "send.php"; echo json_encode(facteur_send(json_decode($argv[1], true), $argv[2]));`;
    const inPython = "import json, sys; from facteur_send import send; print(json.dumps(send(json.loads(sys.argv[1]), sys.argv[2])))";
    for (const [name, command, sending, receiving] of [
      ["node", "node", ["--input-type=module", "-e", inNode, "--"], ["webhook.mjs"]],
      ["php", "php", ["-r", inPhp, "--"], ["-S", `127.0.0.1:${portalPort}`, "webhook.php"]],
      ["python", "python3", ["-c", inPython], ["facteur_webhook.py"]],
    ]) {
      if (!has(command)) {
        skip(`examples/${name}: sends and hears`, `no ${command}`);
        continue;
      }
      const cwd = join(store, name);
      const sends = async (message, once) =>
        JSON.parse((await promisify(execFile)(command, [...sending, JSON.stringify(message), once], { cwd, env })).stdout);
      await check(`${name}: a message is handed over, once, and accepted`, async () => {
        const message = { account: "42", to: ["claire@example.com"], subject: `From ${name}`, text: "Bonjour, voilà", reference: name };
        const { id } = await sends(message, name);
        await reaches(id, "accepted");
        assert.equal((await sends(message, name)).id, id);
        assert.equal(copies(`From ${name}`).length, 1);
        await until("its event", () => told.some(({ body }) => JSON.parse(body).data.message === id));
        await assert.rejects(sends({ ...message, from: "boss@bank.example" }, `${name}-2`), /sender_not_allowed/);
      });
      const hearing = { ...env, PORT: String(portalPort), FACTEUR_WEBHOOK_SECRET_FILE: join(place, "webhook.key") };
      const child = await start(`${portal}/`, command, receiving, { cwd, env: hearing });
      await check(`${name}: a genuine event is taken, nothing else`, async () => {
        const event = await genuine();
        const secret = Buffer.from(read(join(place, "webhook.key")).trimEnd().replace("whsec_", ""), "base64");
        const hears = async (body, over) => {
          const sent = Object.fromEntries(["id", "timestamp", "signature"].map((name) => [`webhook-${name}`, event.headers[`webhook-${name}`]]));
          return (await ask("POST", `${portal}/events`, { headers: { "content-type": "application/json", ...sent, ...over }, body })).status;
        };
        const signed = (age, with_ = secret) => {
          const at = Math.floor(Date.now() / 1000) - age;
          const text = `${event.headers["webhook-id"]}.${at}.${event.body}`;
          return { "webhook-timestamp": String(at), "webhook-signature": `v1,${createHmac("sha256", with_).update(text).digest("base64")}` };
        };
        assert.equal(await hears(event.body, {}), 204, "as Facteur sent it");
        assert.equal(await hears(event.body, signed(290)), 204);
        const two = signed(0);
        assert.equal(await hears(event.body, { ...two, "webhook-signature": `v1,AAAA ${two["webhook-signature"]}` }), 204, "two secrets");
        assert.match(child.log, /message\.accepted/);
        assert.equal(await hears(event.body.replace("accepted", "rejected"), {}), 400, "another body");
        assert.equal(await hears(event.body, signed(0, Buffer.alloc(32))), 400, "another secret");
        assert.equal(await hears(event.body, signed(310)), 400, "old");
        assert.equal(await hears(event.body, signed(-310)), 400, "of the future");
        assert.equal(await hears(event.body, { "webhook-id": "another" }), 400, "another id");
        assert.equal(await hears(event.body, { "webhook-timestamp": "soon" }), 400);
        assert.equal(await hears(event.body, { "webhook-signature": "" }), 400);
        assert.equal((await ask("POST", `${portal}/events`, { body: event.body })).status, 400, "without headers");
      });
      await stop(child);
    }

    await check("docs/messages.md names every field, state, code and event; docs/operating.md every metric", async () => {
      const named = (text, name, where) => assert.ok(text.includes(`\`${name}\``), `${where}: ${name}`);
      const { components } = JSON.parse((await ask("GET", `${facteurUrl}/api/openapi.json`)).text);
      const { MessageRequest, AttachmentRequest, MessageView, AttemptView, Recipient, Accepted, MessagePage } = components.schemas;
      for (const schema of [MessageRequest, AttachmentRequest, MessageView, AttemptView, Recipient, Accepted]) {
        for (const field of Object.keys(schema.properties)) named(messages, field, "a field");
      }
      assert.ok(MessagePage.properties.next);
      const { MessageState, RecipientState, AttemptOutcome, Via, Fault } = components.schemas;
      for (const list of [MessageState, RecipientState, AttemptOutcome, Via, Fault]) {
        for (const code of list.enum) named(messages, code, "a code");
      }
      const status = {
        BAD_REQUEST: 400, UNAUTHORIZED: 401, FORBIDDEN: 403, NOT_FOUND: 404, METHOD_NOT_ALLOWED: 405, REQUEST_TIMEOUT: 408, CONFLICT: 409, GONE: 410, PAYLOAD_TOO_LARGE: 413,
        UNSUPPORTED_MEDIA_TYPE: 415, UNPROCESSABLE_ENTITY: 422, INTERNAL_SERVER_ERROR: 500,
        SERVICE_UNAVAILABLE: 503,
      };
      const problems = [...read("server/src/http/api/problem.rs").matchAll(/^    \w+ = "(\w+)", (\w+), "/gm)];
      assert.ok(problems.length >= 15);
      for (const [, code, name] of problems) assert.ok(messages.includes(`| \`${code}\` | ${status[name]} |`), code);
      const events = read("server/src/events.rs");
      for (const [, type] of /TYPES[^=]*= ?\[?([^]*?)\];/.exec(events)[1].matchAll(/"([\w.]+)"/g)) named(messages, type, "an event");
      for (const [, field] of events.matchAll(/^        "(\w+)": /gm)) named(messages, field, "of an event");
      const { headers: kind, text } = await ask("GET", `http://127.0.0.1:${figures}/metrics`);
      assert.match(kind["content-type"], /^application\/openmetrics-text/);
      for (const [, name, type] of text.matchAll(/^# TYPE (\w+) (\w+)/gm)) {
        assert.ok(operating.includes(`| \`${name}${type === "counter" ? "_total" : ""}\` | ${type}`), name);
      }
      const figuresOf = [...read("server/src/metrics.rs").matchAll(/register\(\s*"(\w+)"/g)];
      assert.ok(figuresOf.length >= 10);
      for (const [, name] of figuresOf) assert.match(operating, new RegExp(`^\\| \`facteur_${name}(_total)?\``, "m"), name);
    });

    await check("a backup that is put back sends nothing by itself", async () => {
      await mailEnds();
      const id = await give("In the backup");
      await until("it was tried", async () => (await call("GET", `/${id}`)).attempts.length > 0);
      assert.match(facteurOf("backup", "copy.db"), /a copy of the database/);
      assert.equal(statSync(join(place, "copy.db")).mode & 0o777, 0o600);
      assert.throws(() => facteurOf("backup", "copy.db"), (error) => error.status === 1 && /already exists/.test(error.stderr));
      const { message_id } = await call("GET", `/${id}`);
      await stop(server);
      for (const end of ["", "-wal", "-shm"]) rmSync(join(place, `facteur.db${end}`), { force: true });
      cpSync(join(place, "copy.db"), join(place, "facteur.db"));
      assert.match(facteurOf("config", "check"), /is valid[^]*does not serve from it yet/);
      assert.throws(() => facteurOf("serve"), (error) => error.status === 1 && /facteur restored/.test(error.stderr));
      assert.match(facteurOf("restored"), /^1 messages? /);
      assert.doesNotMatch(facteurOf("config", "check"), /does not serve/);
      mailEnds = await mailServer(mail, taken);
      server = await serve();
      await pause(2500); // It would have been tried once a second.
      assert.equal((await call("GET", `/${id}`)).state, "delivery_unknown");
      assert.equal(copies("In the backup").length, 0);
      assert.equal((await call("POST", `/${id}/resend`)).status, 202);
      await reaches(id, "accepted");
      assert.equal(copies("In the backup").length, 1);
      assert.ok(copies("In the backup")[0].text.includes(`Message-ID: <${message_id}>`));
    });

    await check("keys rotate: a new key first, seal again, the old one goes", async () => {
      const keysOf = (list) => writeFileSync(join(place, "facteur.toml"), toml.replace(/^keys = \[\{ id = "v1".*$/m, `keys = [${list}]`));
      const [before, after] = [`{ id = "v1", file = "vault.key" }`, `{ id = "v2", file = "vault-2.key" }`];
      await mailEnds();
      const id = await give("Sealed again");
      await stop(server);
      facteurOf("keys", "new", "vault-2.key");
      keysOf(`${after}, ${before}`);
      server = await serve();
      const rotated = facteurOf("keys", "rotate");
      assert.match(rotated, /^waiting messages sealed again: 1$/m);
      assert.match(rotated, /^No other key is needed any more\.$/m);
      assert.match(facteurOf("keys", "rotate"), /^waiting messages sealed again: 0$/m);
      await stop(server);
      keysOf(before);
      assert.throws(() => facteurOf("config", "check"), (error) => error.status === 1);
      keysOf(after);
      assert.match(facteurOf("config", "check"), /is valid/);
      mailEnds = await mailServer(mail, taken);
      server = await serve();
      await reaches(id, "accepted");
      assert.equal(copies("Sealed again").length, 1);
    });

    await check("the log of messages has nothing personal", () => {
      const log = running.filter((child) => child.spawnfile === facteur).map((child) => child.log).join("");
      assert.ok(!/claire|Good morning|Quote 2041|Sealed again|fct_|whsec_/i.test(log));
    });
  } finally {
    if (server) await stop(server);
    await mailEnds();
    listener.close();
    listener.closeAllConnections();
  }
}

const { passed, failed, skipped } = counts;
console.log(`\nin ${((Date.now() - began) / 1000).toFixed(1)} s\nexamples: ${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed ? 1 : 0;
