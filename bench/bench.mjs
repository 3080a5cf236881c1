// Runs all measurements in interleaved rounds, so that a disturbance of the machine affects all candidates. Called by
// scripts/bench, which installed what is needed.
//
// To add a step: a function in steps.mjs that returns samples by name, a line in `steps` below, its rows in report.mjs.
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { prepare } from "./facteur.mjs";
import { composed } from "./message.mjs";
import { Sink, version } from "./postfix.mjs";
import { now, pause, stop } from "./processes.mjs";
import { relay } from "./relay.mjs";
import { report } from "./report.mjs";
import { median, summary } from "./statistics.mjs";
import { api, list, memory, relayed, senders } from "./steps.mjs";
import { complain, emptyFolder, keep, machine, subject } from "./subject.mjs";
import { check, delayed } from "./way.mjs";

const quick = process.argv.includes("--quick");
const rounds = quick ? 1 : 5;
const counts = quick
  ? { near: 200, far: 100, waiting: 200, posts: 100, gets: 200, listed: 1 }
  : { near: 2000, far: 400, waiting: 1000, posts: 1000, gets: 2000, listed: 2 };
const connections = 10;
const posts = 32; // concurrent requests when messages are sent as well

const began = now();
const folder = emptyFolder("run");
const { binary, megabytes, versions } = subject("bench");

/** The duration of one `fsync`, in milliseconds: the lower bound for writing a message. */
function sync() {
  const file = openSync(join(folder, "sync"), "w");
  const took = [];
  for (let i = 0; i < 50; i++) {
    const start = now();
    writeSync(file, Buffer.alloc(4096));
    fsyncSync(file);
    took.push(now() - start);
  }
  closeSync(file);
  return median(took);
}

async function prepareAll() {
  const file = join(folder, "message");
  writeFileSync(file, composed());
  const [nearSink, farSink] = [await Sink.start(folder, "near"), await Sink.start(folder, "far")];
  const way = await delayed(farSink.port);
  const relays = { near: nearSink.port, far: way.port };
  const facteur = await prepare({ binary, folder: join(folder, "facteur"), connections, relays });
  await facteur.start();
  const nodemailer = fork(new URL("nodemailer.mjs", import.meta.url));
  await once(nodemailer, "message");
  const near = { sink: nearSink, port: nearSink.port };
  const far = { sink: farSink, port: way.port, way };
  const isRoot = process.getuid() === 0; // without it Postfix is not measured
  const postfix = isRoot && (await relay(join(folder, "postfix"), nearSink.port, connections).catch((error) => error));
  return { binary, folder, file, connections, posts, counts, near, far, facteur, nodemailer, relay: postfix };
}

/** After a failed step: its remaining messages must not count in the next one. */
async function quiet({ near, far }) {
  for (let before = -1, tries = 0; before !== near.sink.count + far.sink.count && tries < 20; tries++) {
    before = near.sink.count + far.sink.count;
    await pause(1000);
  }
}

const all = {};
const failures = {};
async function step(world, name, run, keep) {
  if (failures[name]) return; // a step that failed once is skipped: it may take a minute to fail
  const start = now();
  try {
    for (const [sample, value] of Object.entries(await run())) if (keep) (all[sample] ??= []).push(value);
    console.error(`  ${name}: ${((now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    failures[name] = error.message;
    console.error(`  ${name}: NOT MEASURED: ${error.message}`);
    await quiet(world);
  }
}

async function round(world, number, keep) {
  console.error(keep ? `round ${number + 1} of ${rounds}` : "warming up");
  const names = Object.keys(senders);
  for (const where of ["near", "far"]) {
    for (let i = 0; i < names.length; i++) {
      const who = names[(i + number) % names.length]; // each round begins with another one
      await step(world, `${who}, ${where}`, () => senders[who](world, where), keep);
    }
  }
  if (world.relay) await step(world, "postfix, near", () => relayed(world), keep);
  await step(world, "requests", () => api(world), keep);
  await step(world, "list", () => list(world), keep);
  if (keep) await step(world, "memory", () => memory(world), keep);
}

const around = {
  ...machine(),
  sync_ms: sync(),
  way: await check(),
};
const world = await prepareAll().catch((error) => complain("bench", error.message));
// Half of everything, discarded: warms up JIT compilers, caches and the tables of the database.
const half = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Math.ceil(count / 2)]));
await round({ ...world, counts: half }, 0, false);
// V8 keeps optimising nodemailer for some thousands of messages.
const warmer = () => senders.nodemailer(world, "near");
for (let i = 0; i < (quick ? 0 : 3); i++) await step(world, "nodemailer, near", warmer, false);
for (let number = 0; number < rounds; number++) await round(world, number, true);

// Every accepted message must have been sent once: the sinks were counted, and this is Facteur's own count.
const states = {};
for (const portal of ["near", "far"])
  states[portal] = await world.facteur.states(portal).catch((error) => error.message);

await world.facteur.stop();
world.nodemailer.disconnect();
world.far.way.close();
if (world.relay.child) await stop(world.relay.child);
await Promise.all([stop(world.near.sink.child), stop(world.far.sink.child)]);

const results = {
  date: new Date().toISOString(),
  seconds: Math.round((now() - began) / 1000),
  quick,
  rounds,
  counts,
  connections,
  posts,
  versions: {
    ...versions,
    nodemailer: JSON.parse(readFileSync("bench/node_modules/nodemailer/package.json", "utf8")).version,
    postfix: version(),
  },
  binary_mb: megabytes,
  machine: around,
  states,
  failures,
  samples: Object.fromEntries(Object.entries(all).map(([name, values]) => [name, summary(values)])),
};
const text = report(results);
keep("results", results, text);
rmSync(folder, { recursive: true, force: true });
console.log(text);
process.exit(Object.keys(failures).length > 0 ? 1 : 0);
