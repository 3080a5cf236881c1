// What one round measures. A step returns its samples by name. If a sample cannot be taken, the step throws, and the
// report says so. Names: <what>/<where or how many>/<who>.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { prepare } from "./facteur.mjs";
import { closedLoop, openLoop } from "./load.mjs";
import { source } from "./postfix.mjs";
import { cpu, freePort, now, pause, resident } from "./processes.mjs";

/** Milliseconds in which a sender writes its last outcomes after the last arrival. */
const SETTLE = 300;
/** A step takes some seconds. A message that waited this long, in milliseconds, was stuck until its lease ended. */
const LOST = 20_000;

function inTime(took) {
  if (took > LOST) throw new Error(`the last message arrived after ${Math.round(took / 1000)} s`);
}

/** Runs `send` and waits for its messages at the sink; too many is as wrong as too few. */
async function arrive(world, where, count, send) {
  const { sink, way } = world[where];
  const had = sink.count;
  const bytes = await way?.sent();
  const began = now();
  const [sent, last] = await Promise.all([send(), sink.reached(had + count)]);
  inTime(last - began);
  await pause(SETTLE);
  if (sink.count !== had + count) throw new Error(`the sink has ${sink.count - had} of ${count} messages`);
  const each = way && ((await way.sent()) - bytes) / count;
  return { began, last, sent, bytes: each };
}

const samples = (where, who, { count, took, used, bytes }) => ({
  [`rate/${where}/${who}`]: (count / took) * 1000,
  [`cpu/${where}/${who}`]: used / count,
  ...(bytes && { [`bytes/${where}/${who}`]: bytes }),
});

export const senders = {
  /** From end to end: posted over HTTP, written to disk, sent. */
  async facteur(world, where) {
    const { facteur, counts } = world;
    const count = counts[where];
    const before = cpu(facteur.child);
    const run = await arrive(world, where, count, () => facteur.give(where, { count, concurrency: world.posts }));
    const used = cpu(facteur.child) - before;
    return samples(where, "facteur", { count, took: run.last - run.began, used, bytes: run.bytes });
  },

  /** Waiting messages, once the paused mail server responds again. */
  async queue(world, where) {
    const { facteur, counts } = world;
    const { sink } = world[where];
    const count = counts.waiting;
    const empty = cpu(facteur.child);
    sink.hold();
    const giving = facteur.give(where, { count, concurrency: world.posts });
    const given = await giving.catch((error) => {
      sink.release();
      throw error;
    });
    await pause(SETTLE);
    const full = cpu(facteur.child);
    const run = await arrive(world, where, count, async () => sink.release());
    const sent = { count, took: run.last - run.began, used: cpu(facteur.child) - full, bytes: run.bytes };
    const taken = {
      [`rate/taken ${where}/facteur`]: given.rate,
      [`cpu/taken ${where}/facteur`]: (full - empty) / count,
    };
    return { ...samples(where, "queue", sent), ...taken };
  },

  async nodemailer(world, where) {
    const { nodemailer, counts, connections } = world;
    const count = counts[where];
    const before = cpu(nodemailer);
    const run = await arrive(world, where, count, () => {
      nodemailer.send({ port: world[where].port, count, connections });
      return once(nodemailer, "message");
    });
    if (run.sent[0].failed > 0) throw new Error(`nodemailer: ${run.sent[0].failed} messages failed`);
    const used = cpu(nodemailer) - before;
    return samples(where, "nodemailer", { count, took: run.last - run.began, used, bytes: run.bytes });
  },

  /** Ten times as many without latency: otherwise the start of the process would dominate the measurement. */
  async source(world, where) {
    const count = world.counts[where] * (where === "near" ? 10 : 1);
    const { connections, file } = world;
    const run = await arrive(world, where, count, () => source({ port: world[where].port, count, connections, file }));
    return samples(where, "source", { count, took: run.last - run.began, used: run.sent, bytes: run.bytes });
  },
};

/**
 * From the first message passed to a durable relay to the last arrival. Its processes come and go, so their CPU time is
 * unknown.
 */
export async function relayed({ relay, near, counts, connections, file }) {
  if (relay instanceof Error) throw relay;
  const count = counts.near;
  const sending = () => source({ port: relay.port, count, connections, file });
  const run = await arrive({ near }, "near", count, sending);
  return { "rate/near/postfix": (count / (run.last - run.began)) * 1000 };
}

/** The API while messages are sent, as in real use. */
export async function api(world) {
  const { facteur, near, counts } = world;
  const all = {};
  for (const concurrency of [1, 8, 32]) {
    const had = near.sink.count;
    const given = await facteur.give("near", { concurrency, count: counts.posts, seconds: 4 });
    Object.assign(all, answered("POST", concurrency, given));
    const began = now();
    await near.sink.reached(had + given.count);
    inTime(now() - began);
    await pause(SETTLE);
    const looked = await facteur.look("near", given.ids, { concurrency, count: counts.gets, seconds: 4 });
    Object.assign(all, answered("GET", concurrency, looked));
  }
  return all;
}

const answered = (what, concurrency, { rate, p50, p99, busy }) => ({
  [`rate/${what}/${concurrency}`]: rate,
  [`p50/${what}/${concurrency}`]: p50,
  [`p99/${what}/${concurrency}`]: p99,
  [`busy/${what}/${concurrency}`]: busy,
});

/** The page that lists profiles: at the highest rate, then at 70 % of it. */
export async function list(world) {
  const { facteur, counts } = world;
  facteur.listed ??= await facteur.session("near", 8);
  const make = () => [`${facteur.url}/profiles`, { headers: facteur.listed }];
  const most = await closedLoop({ concurrency: 16, seconds: counts.listed, make });
  const steady = await openLoop({ rate: most.rate * 0.7, seconds: counts.listed * 2, make });
  return {
    "rate/list/16": most.rate,
    "busy/list/16": most.busy,
    "p50/list/70": steady.p50,
    "p99/list/70": steady.p99,
    "busy/list/70": steady.busy,
  };
}

/** A separate server: its start time, and its memory when idle and with undeliverable messages. */
export async function memory(world) {
  const { binary, connections, counts } = world;
  const folder = join(world.folder, "memory");
  rmSync(folder, { recursive: true, force: true });
  const facteur = await prepare({ binary, folder, connections, relays: { closed: await freePort() } });
  const ready = await facteur.start();
  const stopped = await facteur.stop();
  const again = await facteur.start();
  try {
    await pause(1500);
    const idle = resident(facteur.child);
    await facteur.give("closed", { concurrency: world.posts, count: counts.waiting });
    await pause(1500);
    return {
      "start/new/facteur": ready,
      "start/again/facteur": again,
      "stop/idle/facteur": stopped,
      "memory/idle/facteur": idle,
      "memory/waiting/facteur": resident(facteur.child),
    };
  } finally {
    await facteur.stop();
  }
}
