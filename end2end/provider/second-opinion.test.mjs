// Signing in at a provider that is not ours, and sending with its tokens: `facteur serve`, npm's oidc-provider found by
// its discovery document, and a mail server that asks it about each token.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { CLIENT, SCOPES, signInAt, startProvider } from "./provider.mjs";

const ADDRESS = "claire@boutique.example";
const facteur = fileURLToPath(new URL("../../target/debug/facteur", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "facteur-second-opinion-"));
const key = randomBytes(32).toString("base64url");
const apiKey = `fct_${randomBytes(32).toString("base64url")}`;
const mails = [];
const tokens = new Set();
let provider, mail, server, url, cookie;

const freePort = () =>
  new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });

/** A request as a browser sends it. `fetch` does not allow setting `Origin`. */
function ask(method, address, { headers = {}, form, json } = {}) {
  const sent = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  return new Promise((done, failed) => {
    const asked = request(address, { method, headers: { accept: "text/html", ...(sent && { "content-type": type }), ...headers } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, text }));
    });
    asked.on("error", failed).end(sent);
  });
}

const decoded = (text) => text.replaceAll("&amp;", "&").replaceAll("&#x2F;", "/");
const between = (text, start, end) => decoded(text.split(start)[1]?.split(end)[0] ?? "");
const api = (method, path, json) => ask(method, `${url}/api/v1${path}`, { headers: { authorization: `Bearer ${apiKey}` }, json });

async function until(name, what) {
  for (let tries = 0; tries < 400; tries++) {
    const found = await what();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`in vain: ${name}`);
}

/** A mail server that logs in with tokens only. */
function startMail(port, pair) {
  const server = createTlsServer(pair, (socket) => {
    const say = (line) => socket.write(`${line}\r\n`);
    let [heard, inMessage, awaited] = ["", false, false];
    say("220 mail.example ESMTP");
    const logIn = async (encoded) => {
      const token = /auth=Bearer ([^\x01]+)/.exec(Buffer.from(encoded, "base64").toString())?.[1] ?? "";
      tokens.add(token);
      if (await provider.knows(token)) return say("235 2.7.0 hello");
      awaited = "reason";
      say(`334 ${Buffer.from('{"status":"401","schemes":"bearer","scope":"mail.send"}').toString("base64")}`);
    };
    socket.on("error", () => {}).setEncoding("utf8").on("data", async (text) => {
      heard += text;
      for (let end; (end = heard.indexOf(inMessage ? "\r\n.\r\n" : "\r\n")) >= 0; ) {
        const line = heard.slice(0, end);
        heard = heard.slice(end + (inMessage ? 5 : 2));
        if (inMessage) {
          mails.push(line);
          inMessage = false;
          say(`250 2.0.0 queued as ${mails.length}`);
        } else if (awaited === "reason") (awaited = false), say("535 5.7.3 Authentication unsuccessful");
        else if (awaited === "token") (awaited = false), await logIn(line);
        else if (/^EHLO/i.test(line)) say("250-mail.example\r\n250 AUTH XOAUTH2");
        else if (/^AUTH XOAUTH2 ./i.test(line)) await logIn(line.slice(13));
        else if (/^AUTH XOAUTH2/i.test(line)) (awaited = "token"), say("334 ");
        else if (/^DATA/i.test(line)) (inMessage = true), say("354 go");
        else if (/^QUIT/i.test(line)) socket.end("221 2.0.0 bye\r\n");
        else say("250 2.0.0 ok");
      }
    });
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}

before(async () => {
  const [port, mailPort, providerPort] = [await freePort(), await freePort(), await freePort()];
  url = `http://127.0.0.1:${port}`;
  provider = await startProvider({ port: providerPort, redirectUri: `${url}/oauth/callback/second`, address: ADDRESS });
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  openssl(...made, "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem");
  openssl(...made, "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=localhost", "-addext", "subjectAltName = DNS:localhost",
    "-addext", "basicConstraints = CA:false", "-keyout", "mail.key", "-out", "mail.pem");
  mail = await startMail(mailPort, { key: readFileSync(join(folder, "mail.key")), cert: readFileSync(join(folder, "mail.pem")) });
  execFileSync(facteur, ["keys", "new", "vault.key"], { cwd: folder });
  for (const [name, text] of [["portal.key", key], ["client.key", CLIENT.secret]]) writeFileSync(join(folder, name), text, { mode: 0o600 });
  writeFileSync(join(folder, "facteur.toml"), `
[server]
public_url = "${url}"
listen = "127.0.0.1:${port}"
[database]
path = "facteur.db"
[vault]
keys = [{ id = "v1", file = "vault.key" }]
[smtp]
ehlo_name = "facteur.example"
ca_file = "ca.pem"
allow_hosts = ["localhost", "127.0.0.1"]
allow_ports = [${mailPort}]
plaintext_hosts = ["127.0.0.1"]
[[oauth]]
id = "second"
provider = "custom"
name = "Second"
client_id = "${CLIENT.id}"
secret_file = "client.key"
issuer = "${provider.issuer}"
scopes = ${JSON.stringify(SCOPES)}
smtp = { host = "localhost", port = ${mailPort}, security = "tls" }
domains = ["boutique.example"]
[[portal]]
id = "my-portal"
name = "My portal"
origins = ["http://portal.example"]
keys = [{ id = "k1", secret_file = "portal.key" }]
api_keys = [{ id = "a1", sha256 = "${createHash("sha256").update(apiKey).digest("hex")}" }]
`);
  execFileSync(facteur, ["config", "check"], { cwd: folder, stdio: "pipe" });
  server = spawn(facteur, ["serve"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  server.log = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (server.log += text));
  await until("facteur serve", async () => (await ask("GET", `${url}/readyz`).catch(() => ({}))).status === 200);
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "my-portal", aud: "facteur", iat: now, exp: now + 120, jti: randomUUID(), sub: "7", name: "Claire", email: ADDRESS, account: { id: "42", name: "Boutique" } };
  const signed = `${encode({ typ: "JWT", alg: "HS256", kid: "k1" })}.${encode(claims)}`;
  const token = `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  const opened = await ask("POST", `${url}/session`, { headers: { origin: "http://portal.example" }, form: { token } });
  assert.equal(opened.status, 303, opened.text + server.log);
  cookie = opened.headers["set-cookie"][0].split(";")[0];
});

after(() => {
  server?.kill();
  provider?.close();
  mail?.close();
  rmSync(folder, { recursive: true, force: true });
});

const own = () => ({ cookie, origin: url });

/** From the form to the provider and back. `id`: a profile that signs in again. */
async function signIn(id) {
  const form = id ? { client: "second", id } : { client: "second", "draft[login]": ADDRESS, "draft[sender_name]": "Boutique" };
  const begun = await ask("POST", `${url}/api/sign-in/begin`, { headers: own(), form });
  assert.match(begun.headers.location ?? "", /sign-in/, begun.text + server.log);
  const page = new URL(begun.headers.location, url).href;
  const ticket = between((await ask("GET", page, { headers: { cookie } })).text, 'name="ticket" value="', '"');
  const window = await ask("POST", `${url}/oauth/go`, { headers: { origin: url }, form: { ticket } });
  assert.equal(window.status, 200, window.text);
  const browser = window.headers["set-cookie"][0].split(";")[0];
  const back = await signInAt(between(window.text, 'content="0;url=', '"'), "claire");
  const answered = await ask("GET", back, { headers: { cookie: browser } });
  assert.equal(answered.status, 303, answered.text + server.log);
  return ask("GET", page, { headers: { cookie } });
}

const account = async () => JSON.parse((await api("GET", "/accounts/42")).text);
const send = async (subject) => JSON.parse((await api("POST", "/messages", { account: "42", to: ["karim@client.example"], subject, text: "x" })).text).id;
const message = async (id) => JSON.parse((await api("GET", `/messages/${id}`)).text);

test("an owner signs in, mail leaves, tokens rotate, and a withdrawn permission is renewed", async () => {
  const connected = await signIn();
  assert.equal(connected.status, 302, connected.text + server.log);
  const [profile] = (await account()).profiles;
  assert.deepEqual({ ...profile.credential, since: "" }, { kind: "sign_in", state: "stored", since: "", provider: "Second", identity: ADDRESS });
  for (const path of ["/api/profiles/use", "/api/sending-mode/set"]) {
    await ask("POST", url + path, { headers: own(), form: { id: profile.id, mode: "own_smtp" } });
  }
  assert.equal((await account()).mode, "own_smtp", server.log);
  // Its access tokens last a minute, so each login needs a new one, and each refresh token works once.
  for (const number of [1, 2, 3]) {
    const id = await send(`Quote ${number}`);
    await until(`message ${number}: ${server.log}`, async () => (await message(id)).state === "accepted");
  }
  assert.equal(mails.length, 3);
  assert.ok(provider.refreshes() >= 1);
  await provider.withdraw();
  const waiting = await send("Quote 4");
  await until(`the profile is broken: ${server.log}`, async () => (await account()).profiles[0].credential.state === "ended");
  const { credential, sending } = (await account()).profiles[0];
  assert.deepEqual([credential.cause, sending.state], ["oauth_reconnect", "broken"]);
  assert.notEqual((await message(waiting)).state, "failed");
  await signIn(profile.id);
  assert.equal((await account()).profiles[0].credential.state, "stored");
  await until(`the waiting message leaves: ${server.log}`, async () => (await message(waiting)).state === "accepted");
  // Nothing of the tokens is kept or said in clear, in any encoding.
  const kept = readdirSync(folder).filter((name) => name.startsWith("facteur.db")).map((name) => readFileSync(join(folder, name), "latin1")).join("");
  const said = kept + server.log + JSON.stringify(await account()) + JSON.stringify(await message(waiting));
  assert.ok(tokens.size >= 2);
  for (const token of tokens) {
    for (const form of [token, Buffer.from(token).toString("base64"), Buffer.from(token).toString("hex"), encodeURIComponent(token)]) {
      assert.ok(!said.includes(form), "a token is kept in clear");
    }
  }
  assert.ok(!said.includes(CLIENT.secret));
});
