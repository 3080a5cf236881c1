// Tests of the day's mail servers: node --test end2end/day/servers
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import tls from "node:tls";

import { Chance } from "../chance.mjs";
import { certificates, sleep } from "../machine.mjs";
import { kinds } from "./kinds.mjs";
import { MailServer } from "./server.mjs";
import { Wire } from "./wire.mjs";

const folder = mkdtempSync(join(tmpdir(), "facteur-day-"));
const secureContext = certificates(folder);
const trusted = { ca: [readFileSync(join(folder, "ca.pem"))], host: "127.0.0.1" };
const running = [];
after(async () => {
  for (const server of running) await server.close();
  rmSync(folder, { recursive: true });
});

async function server(options) {
  const started = await new MailServer({ name: "test", secureContext, ...options }).listen();
  running.push(started);
  return started;
}

/** A manual client: `says` sends lines and reads `replies` replies. */
async function visitor(port, { security = "none" } = {}) {
  let socket = security === "tls" ? tls.connect({ ...trusted, port }) : connect(port, "127.0.0.1");
  let wire = new Wire(socket);
  const reply = async () => {
    for (let text = ""; ; text += "\n") {
      text += await wire.line();
      if (text.split("\n").at(-1)[3] !== "-") return text;
    }
  };
  const says = async (text, replies = 1) => {
    wire.write(`${text}\r\n`);
    const heard = [];
    while (heard.length < replies) heard.push(await reply());
    return heard.join("\n");
  };
  const starttls = async () => {
    assert.match(await says("STARTTLS"), /^220/);
    socket.removeAllListeners("data");
    socket = tls.connect({ ...trusted, socket });
    wire = new Wire(socket);
  };
  return { says, reply, starttls, closed: () => wire.closed(), cut: () => socket.destroy(), greeting: await reply() };
}

const base64 = (text) => Buffer.from(text).toString("base64");
const plain = `AUTH PLAIN ${base64("\0me\0secret")}`;
const login = { login: "me", secret: "secret", mechanisms: ["PLAIN", "LOGIN"] };

test("implicit TLS, AUTH PLAIN, a pipelined transaction, dots", async () => {
  const one = await server({ security: "tls", pipelining: true, ...login });
  const { says, greeting } = await visitor(one.port, { security: "tls" });
  assert.match(greeting, /^220 /);
  assert.match(await says("EHLO a"), /250-PIPELINING\n250 AUTH PLAIN LOGIN$/);
  assert.match(await says("MAIL FROM:<a@a>"), /^530/);
  assert.match(await says(`AUTH PLAIN ${base64("\0me\0wrong")}`), /^535/);
  assert.match(await says(plain), /^235/);
  assert.match(await says("MAIL FROM:<a@a> SIZE=9\r\nRCPT TO:<m1.a@b>\r\nRCPT TO:<M1.b@b>\r\nDATA", 4), /^250.*\n250.*\n250.*\n354/);
  assert.match(await says("Message-ID: <x@y>\r\n\r\n..one\r\n...\r\nend\r\n."), /^250 2.0.0 Ok: queued as \w+$/);
  const [{ raw, ...kept }] = one.kept;
  assert.equal(String(raw), "Message-ID: <x@y>\r\n\r\n.one\r\n..\r\nend\r\n");
  assert.deepEqual([kept.from, kept.to, kept.answered], ["a@a", ["m1.a@b", "m1.b@b"], 250]);
  assert.deepEqual(one.logins.map(({ right }) => right), [false, true]);
  assert.match(await says("QUIT"), /^221/);
});

test("STARTTLS, AUTH LOGIN only under TLS", async () => {
  const one = await server({ security: "starttls", ...login });
  const { says, starttls } = await visitor(one.port);
  const before = await says("EHLO a");
  assert.ok(/STARTTLS/.test(before) && !/AUTH/.test(before), before);
  assert.match(await says(plain), /^530/);
  await starttls();
  const after = await says("EHLO a");
  assert.ok(!/STARTTLS/.test(after) && /AUTH/.test(after), after);
  assert.equal(await says("AUTH LOGIN"), `334 ${base64("Username:")}`);
  await says(base64("me"));
  assert.match(await says(base64("secret")), /^235/);
});

test("BDAT in the flight and in pieces; no recipient", async () => {
  const one = await server({ pipelining: true, chunking: true });
  const { says } = await visitor(one.port);
  assert.match(await says("EHLO a"), /CHUNKING/);
  assert.match(await says("MAIL FROM:<a@a>\r\nRCPT TO:<m1@b>\r\nBDAT 6 LAST\r\na\r\n.", 3), /queued/);
  assert.match(await says("MAIL FROM:<a@a>\r\nRCPT TO:<m2@b>\r\nBDAT 3\r\n.", 3), /250 2.0.0 More$/);
  assert.match(await says("BDAT 0 LAST"), /queued/);
  assert.deepEqual(one.kept.map(({ raw }) => String(raw)), ["a\r\n.\r\n", ".\r\n"]);
  assert.match(await says("MAIL FROM:<a@a>\r\nBDAT 4 LAST\r\nQU", 2), /503/);
  assert.match(await says("RSET"), /250/);
});

test("greylisting and picky servers look at the recipient", async () => {
  const grey = await visitor((await server({ behaviour: kinds.grey() })).port);
  assert.match(await grey.says("MAIL FROM:<a@a>\r\nRCPT TO:<m1.a@b>\r\nDATA", 3), /450.*\n554/);
  assert.match(await grey.says("RSET\r\nMAIL FROM:<a@a>\r\nRCPT TO:<m1.a@b>\r\nRCPT TO:<m2.a@b>", 4), /250 2.1.5.*\n450/);
  const picky = await server({ behaviour: kinds.picky() });
  const { says } = await visitor(picky.port);
  assert.match(await says("MAIL FROM:<a@a>\r\nRCPT TO:<m1.a@b>\r\nRCPT TO:<m1.refused@b>\r\nRCPT TO:<m1.later@b>", 4), /250.*\n550.*\n451/);
  await says("DATA");
  await says("x\r\n.");
  assert.deepEqual(picky.kept[0].to, ["m1.a@b"]);
  assert.match(await says("MAIL FROM:<a@a>\r\nRCPT TO:<m1.later@b>", 2), /250 2.1.5/);
});

test("what hangs up, falls silent or never ends", async () => {
  const actions = [{ cut: true, keep: true }, { cut: true, keep: false }, { silent: true, keep: true }, { endless: "250 ", keep: false }];
  for (const action of actions) {
    const one = await server({ behaviour: (step) => (step === "message" ? action : undefined) });
    const { says, closed, cut } = await visitor(one.port);
    assert.match(await says("MAIL FROM:<a@a>\r\nRCPT TO:<m1@b>\r\nDATA", 3), /354 End/);
    const heard = says("x\r\n.").then(() => "a reply", () => "nothing");
    if (!action.cut) await sleep(100).then(cut);
    await closed();
    assert.equal(await heard, "nothing");
    assert.equal(one.kept.length, action.keep ? 1 : 0);
    assert.equal(one.transactions[0].answered, null);
  }
});

test("a customer who dies before the dot has sent nothing; after it, everything", async () => {
  const one = await server({ delay: () => 50 });
  for (const end of ["", "."]) {
    const { says, cut } = await visitor(one.port);
    await says("MAIL FROM:<a@a>\r\nRCPT TO:<m1@b>\r\nDATA", 3);
    const heard = says(`x\r\n${end}`).catch(() => {});
    await sleep(20);
    cut();
    await heard;
  }
  await sleep(100);
  assert.deepEqual(one.transactions.map(({ kept }) => kept), [false, true]);
});

test("the repaired server refuses connections while it is broken, on the same port afterwards", async () => {
  const state = { weather: "closing" };
  const one = await server({ behaviour: kinds.mended(null, state) });
  assert.match((await visitor(one.port)).greeting, /^421/);
  await one.close();
  await assert.rejects(new Promise((done, failed) => connect(one.port, "127.0.0.1", done).on("error", failed)), /ECONNREFUSED/);
  state.weather = "good";
  await one.listen();
  assert.match((await visitor(one.port)).greeting, /^220/);
});

test("the same seed is the same server", () => {
  const story = (seed) => {
    const flaky = kinds.flaky(new Chance(seed));
    const steps = ["greeting", "hello", "auth", "mail", "rcpt", "data", "body", "message"];
    return JSON.stringify(Array.from({ length: 80 }, (_, at) => steps.map((step) => flaky(step, { conversation: at }) ?? 0)));
  };
  assert.equal(story(1), story(1));
  assert.notEqual(story(1), story(2));
});
