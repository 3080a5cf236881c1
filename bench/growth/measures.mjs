// What one round measures. Each function returns its samples by name: <what>/<metric>.
import { randomUUID } from "node:crypto";
import { closedLoop, openLoop } from "../load.mjs";
import { message } from "../message.mjs";
import { cpu, now, pause, resident } from "../processes.mjs";
import { percentile } from "../statistics.mjs";
import { LONG } from "./fill.mjs";
import { clock } from "./mailbox.mjs";
import { PATIENCE } from "./world.mjs";

/** Milliseconds in which Facteur writes its last outcomes after the last arrival. */
const SETTLE = 300;

/** A request with a new message of an account, and its recipient. */
function given({ facteur }, account) {
  const to = `${randomUUID()}@bench.example`;
  const headers = {
    authorization: `Bearer ${facteur.apiKeys.near}`,
    "content-type": "application/json",
    "idempotency-key": randomUUID(),
  };
  const body = JSON.stringify({ account, ...message(0), to: [to] });
  return { to, request: [`${facteur.url}/api/v1/messages`, { method: "POST", headers, body }] };
}

const figures = (name, took) => ({
  [`${name}/p50`]: percentile(took, 0.5),
  [`${name}/p95`]: percentile(took, 0.95),
  [`${name}/p99`]: percentile(took, 0.99),
});

/** From the POST to the sink, for alternating accounts, at a steady rate regardless of the responses. */
export async function arrivals(world, name, accounts, { rate, seconds }) {
  const left = new Map();
  const make = (i) => {
    const { to, request } = given(world, accounts[i % accounts.length]);
    left.set(to, clock());
    return request;
  };
  const answered = await openLoop({ rate, seconds, status: 202, make });
  const came = await world.mailbox.have([...left.keys()], 60);
  const took = [...left.values()].map((began, i) => came[i] - began);
  await pause(SETTLE);
  return { ...figures(name, took), [`${name}, POST/p50`]: answered.p50, [`${name}, POST/p99`]: answered.p99 };
}

/** Posts `count` messages of an account, `concurrency` at a time; returns their recipients and response times. */
async function give(world, account, { count, concurrency }) {
  const recipients = [];
  const make = (i) => {
    const { to, request } = given(world, account(i));
    recipients.push(to);
    return request;
  };
  const load = await closedLoop({ concurrency, count, status: 202, make });
  return { recipients, load };
}

/** POSTs at the highest rate, eight at a time, while the messages are sent. */
export async function post(world, { posts }) {
  const { recipients, load } = await give(world, (i) => `shop-${i % 50}`, { count: posts, concurrency: 8 });
  await world.mailbox.have(recipients);
  await pause(SETTLE);
  return { "POST/p50": load.p50, "POST/p99": load.p99, "POST/rate": load.rate };
}

/** Due messages of the long lane, once its server responds again: claims in a lane with many other waiting messages. */
export async function drain(world, { drained }) {
  const { mailbox } = world;
  mailbox.hold();
  const giving = give(world, () => LONG, { count: drained, concurrency: 32 });
  const { recipients } = await giving.finally(() => mailbox.release());
  const began = clock();
  const came = await mailbox.have(recipients, 90);
  await pause(SETTLE);
  return { "drain/rate": (drained / (Math.max(...came) - began)) * 1000 };
}

/** Reads: pages of the API, the page of profiles, the metrics. */
export async function reads(world, { gets, seconds }) {
  const { facteur } = world;
  const headers = { authorization: `Bearer ${facteur.apiKeys.near}` };
  const list = (query) => [`${facteur.url}/api/v1/messages?${query}`, { headers }];
  const visit = await world.visit();
  const asked = {
    "list, a small account": list("account=shop-1"),
    "list, the long account": list(`account=${LONG}`),
    "list, the long account, failed": list(`account=${LONG}&state=failed`),
    "list, the long account, last page": list(`account=${LONG}&before=${world.before}`),
    profiles: [`${facteur.url}/profiles`, { headers: visit }],
    metrics: [world.metrics, {}],
  };
  const all = {};
  for (const [name, request] of Object.entries(asked)) {
    const make = () => request;
    await closedLoop({ concurrency: 1, count: 5, seconds: 1, make }); // the first ones prepare statements
    const load = await closedLoop({ concurrency: 1, count: gets, seconds, make });
    Object.assign(all, { [`${name}/p50`]: load.p50, [`${name}/p99`]: load.p99 });
  }
  return all;
}

/** The cost of an idle process: milliseconds of processor time per second, and memory. */
export async function idle(world, { idle }) {
  const { facteur, database } = world;
  const [before, beside, began] = [cpu(facteur.child), database.busy(), now()];
  await pause(idle);
  const seconds = (now() - began) / 1000;
  let spent = 0;
  for (const [pid, ran] of database.busy()) spent += ran - (beside.get(pid) ?? ran);
  return {
    "idle/facteur": (cpu(facteur.child) - before) / seconds,
    "idle/database": spent / seconds,
    "memory/resident": resident(facteur.child),
  };
}

/** From the start of the process to the response of /readyz, and to the arrival of a message posted then. */
async function start(world, name) {
  const began = clock();
  const ready = await world.facteur.start(PATIENCE);
  const { to, request } = given(world, "shop-1");
  await closedLoop({ concurrency: 1, count: 1, status: 202, make: () => request });
  const [came] = await world.mailbox.have([to], 120);
  const first = came - began;
  return { [`${name}/ready`]: ready, [`${name}/first message`]: first };
}

/**
 * Starts: after a stop, after a crash while messages were sent, and after an hour without a process. A crashed process
 * keeps its PostgreSQL slots for half a minute: here it has few.
 */
export async function restarts(world) {
  const { facteur, mailbox } = world;
  await facteur.stop();
  const ended = await start(world, "start");
  mailbox.hold();
  await give(world, () => LONG, { count: 4, concurrency: 1 });
  await facteur.crash();
  mailbox.release();
  const crashed = await start(world, "start after a crash");
  await facteur.stop();
  world.age();
  const away = await start(world, "start after an hour away");
  return { ...ended, ...crashed, ...away };
}
