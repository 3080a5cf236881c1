// Simulates a portal's day: ten accounts, each with a different kind of mail server, some hundreds of messages from
// several programs at once, a server that is killed again and again, and a receiver of webhooks with outages. At the
// end every message is accounted for. Called by scripts/day; SEED, MESSAGES, KILLS and DAY_SECONDS change the day,
// DATABASE=postgres uses PostgreSQL, REPLICAS=3 runs three processes behind a balancer there, KEEP=1 keeps the files.
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Postgres } from "../postgres.mjs";
import { answers } from "./accounting/answers.mjs";
import { contents } from "./accounting/content.mjs";
import { copies } from "./accounting/copies.mjs";
import { events, unheard } from "./accounting/events.mjs";
import { Ledger } from "./accounting/ledger.mjs";
import { limits } from "./accounting/limits.mjs";
import { program } from "./accounting/program.mjs";
import { table, tally } from "./accounting/table.mjs";
import { Link } from "./balancer.mjs";
import { badWeather, open } from "./accounts.mjs";
import { Chance } from "./chance.mjs";
import { post } from "./clients.mjs";
import { CONNECTIONS, configure, Facteur, GIVE_UP_SECONDS } from "./facteur.mjs";
import { certificates, sleep, until } from "./machine.mjs";
import { plan } from "./messages.mjs";
import { Portal } from "./portal.mjs";
import { Replicas } from "./replicas.mjs";
import { Receiver } from "./receiver.mjs";
import { trouble } from "./trouble.mjs";

const setting = (name, usual) => Number(process.env[name] || usual);
const binary = resolve(process.argv[2] ?? "target/debug/facteur");
const seed = process.env.SEED || String(Date.now() % 1_000_000);
const [count, kills, seconds] = [setting("MESSAGES", 320), setting("KILLS", 10), setting("DAY_SECONDS", 30)];
const replicas = setting("REPLICAS", 1);
const onPostgres = process.env.DATABASE === "postgres" || replicas > 1;
const giveUp = replicas > 1 ? GIVE_UP_SECONDS.several : GIVE_UP_SECONDS.one;
const CLIENTS = 6;
/** In seconds: how long the last event may take after the last message has ended. */
const EVENTS_SECONDS = 60;

const began = Date.now();
const say = (text) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`);
say(`SEED=${seed} MESSAGES=${count} KILLS=${kills} DAY_SECONDS=${seconds}${onPostgres ? " DATABASE=postgres" : ""}${replicas > 1 ? ` REPLICAS=${replicas}` : ""}; messages are tried for ${giveUp} s`);

const folder = mkdtempSync(join(tmpdir(), "facteur-day-"));
const chance = new Chance(seed);
const ledger = new Ledger();
const moments = new EventEmitter();
const receiver = new Receiver(chance, () => moments.emit("step", "called"));
let accounts = [];
let facteur;
let postgres;
let links = [];

/** The receiver is down for a while at the beginning and at the end of the day. */
async function receiverAway() {
  for (const [from, to] of [[0.3, 0.45], [0.95, 1.1]]) {
    await sleep(began + from * seconds * 1000 - Date.now());
    await receiver.close();
    await sleep((to - from) * seconds * 1000);
    await receiver.open();
  }
}

async function unfinished(portals) {
  let waiting = 0;
  for (const { portal, id } of accounts) {
    const listed = await portals[portal].list(id, 100);
    waiting += listed.filter(({ state }) => ["queued", "sending", "deferred"].includes(state)).length;
  }
  return waiting;
}

async function day() {
  await receiver.open();
  if (onPostgres) {
    postgres = await Postgres.start();
    postgres.sql("CREATE DATABASE day");
  }
  const to = replicas > 1 ? Array.from({ length: replicas }, () => new Link(postgres.port)) : [];
  links = await Promise.all(to.map((link) => link.open()));
  const url = (port) => `url = "${postgres.url("day").replace(postgres.port, port)}"`;
  const databases = links.length ? links.map(({ port }) => url(port)) : [postgres ? url(postgres.port) : 'path = "facteur.db"'];
  accounts = await open(chance, certificates(folder));
  for (const { server } of accounts) server.on("step", (step) => moments.emit("step", step));
  const { port, replicas: described, portals: known } = await configure(binary, folder, accounts, receiver, databases);
  const portals = Object.fromEntries(known.map((portal) => [portal.id, new Portal(portal)]));
  facteur = links.length ? new Replicas(binary, folder, port, described, chance) : new Facteur(binary, folder, described[0]);
  facteur.launch();
  await facteur.ready();
  for (const account of accounts) account.profile = await portals[account.portal].setUp(account);
  const messages = plan(chance, accounts, count, seconds);
  say(`${accounts.length} accounts are set up`);

  const weather = badWeather(accounts.find(({ kind }) => kind === "mended"), (seconds * 1000) / 3);
  const posted = () => moments.emit("step", "posted");
  await Promise.all([
    post(messages, portals, chance, CLIENTS, posted),
    trouble(facteur, moments, chance, { kills, stops: Math.ceil(kills / 4), seconds: seconds + 6 }),
    receiverAway(),
    weather,
    facteur.outages?.(postgres, links, seconds),
  ]);
  const ends = facteur.ends;
  const longest = Math.max(0, ...ends.filter(({ signal }) => signal === "SIGTERM").map(({ at, ended }) => ended - at));
  say(`SIGTERM took ${longest / 1000} s at most`);
  const [signals, at] = [tally(ends.map(({ signal }) => signal)), tally(ends.map(({ moment }) => moment))];
  say(`everything is posted; ended by ${signals}; at ${at}`);

  await until(async () => (await unfinished(portals)) === 0, giveUp + 25, 500);
  say(`${await unfinished(portals)} messages are not finished`);
  await answers(ledger, messages, accounts, portals);
  await until(() => unheard(messages, receiver).length === 0, EVENTS_SECONDS, 200);
  const untold = unheard(messages, receiver).length;
  say(`${receiver.calls} webhook calls, ${receiver.failed} of them answered 500; ${untold} ends not told`);
  await facteur.end("SIGTERM", "evening");

  copies(ledger, messages, accounts, ends);
  contents(ledger, messages);
  limits(ledger, accounts, CONNECTIONS, ends);
  events(ledger, messages, accounts, receiver, ends);
  program(ledger, facteur, messages, accounts, portals);
  report(messages);
}

function report(messages) {
  console.log();
  table(messages, accounts);
  const unknown = messages.filter(({ seen }) => seen?.state === "delivery_unknown");
  const arrived = unknown.filter(({ copies: all }) => all.length);
  const because = tally(unknown.map(({ unknownBecause }) => unknownBecause));
  console.log(`\n${unknown.length} delivery_unknown, ${arrived.length} of them arrived; because: ${because}`);
  const attempts = messages.flatMap(({ seen }) => seen?.attempts ?? []);
  console.log(`attempts: ${tally(attempts.map(({ outcome, cause }) => (cause ? `${outcome} (${cause})` : outcome)))}`);
  console.log(`events: ${tally(receiver.events.map(({ type }) => type))}`);
  const broken = receiver.events.filter(({ type }) => type === "profile.broken");
  console.log(`broken: ${tally(broken.map(({ data }) => `${data.account} (${data.cause})`))}\n`);
  ledger.print();
}

process.on("exit", () => facteur?.abandon());
process.once("SIGINT", () => void evening().then(() => process.exit(130)));

async function evening() {
  if (facteur?.alive) await facteur.end("SIGKILL", "evening");
  await facteur?.balancer?.close();
  await Promise.all(links.map((link) => link.close()));
  await receiver.close();
  for (const { server } of accounts) await server.close();
  await postgres?.stop();
}

try {
  await day();
} catch (error) {
  ledger.look("the day comes to its end", error.stack);
  ledger.print();
} finally {
  await evening();
}
if (ledger.holds && !process.env.KEEP) rmSync(folder, { recursive: true });
else console.log(`\nThe configuration, the database (if it is a file) and the log are in ${folder}`);
say(ledger.holds ? `day: everything holds (SEED=${seed})` : `day: BROKEN, see above; again with SEED=${seed}`);
process.exit(ledger.holds ? 0 : 1);
