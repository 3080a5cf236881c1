// The good accounts' messages, at a steady rate, and how long each took from its due time until it arrived.
import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { ask } from "../load.mjs";
import { TEXT } from "../message.mjs";
import { cpu, now, pause, resident } from "../processes.mjs";

/** Messages a second. `new` is a different account each time, which has never sent a message. */
export const GOOD = {
  own: { title: "an account with its own server", rate: 20 },
  single: { title: "the same with one connection", rate: 10 },
  relay: { title: "an account that uses the portal's relay", rate: 20 },
  new: { title: "the first message of an account", rate: 1 },
};

/** In milliseconds after the last post. A message that has not arrived by then counts as if it arrived then. */
const PATIENCE = 30_000;

let given = 0;

const rounded = (ms) => Math.round(ms * 100) / 100;

/** Posts them for `seconds`, at `load` times their rates; returns the times of each account in milliseconds. */
export async function measure(world, name, seconds, load) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const before = { facteur: cpu(world.facteur.child), servers: cpu(world.servers.child), at: now() };
  const busy = performance.eventLoopUtilization();
  const sent = Object.fromEntries(Object.keys(GOOD).map((who) => [who, []]));
  const [taken, failed] = [[], []];
  const give = (who, due) => {
    const subject = `Good ${given++}`;
    const account = who === "new" ? `new-${world.newcomers++}` : who;
    const body = JSON.stringify({ account, to: ["customer@bench.example"], subject, text: TEXT });
    const headers = {
      authorization: `Bearer ${world.facteur.apiKeys.good}`,
      "content-type": "application/json",
      "idempotency-key": randomUUID(),
    };
    sent[who].push({ subject, due });
    ask(`${world.facteur.url}/api/v1/messages`, { method: "POST", headers, body, agent }).then(
      ({ status, text }) => {
        taken.push(rounded(now() - due));
        if (status !== 202) failed.push(`${status} ${text.slice(0, 200)}`);
      },
      (error) => failed.push(error.message),
    );
  };
  // Each begins a little later, so that they do not coincide.
  const began = now();
  const clocks = Object.entries(GOOD).map(([who, { rate }], i) => ({
    who,
    every: 1000 / rate / load,
    due: began + 3 * i,
  }));
  const most = { conversations: 0, memory: 0, threads: 0 };
  const look = setInterval(async () => {
    const seen = {
      conversations: await world.conversations(),
      memory: resident(world.facteur.child),
      threads: threads(world),
    };
    for (const [what, much] of Object.entries(seen)) most[what] = Math.max(most[what], much || 0);
  }, 1000);
  for (const end = began + seconds * 1000; now() < end; await pause(1)) {
    for (const clock of clocks)
      for (; clock.due <= now() && clock.due < end; clock.due += clock.every) give(clock.who, clock.due);
  }
  clearInterval(look);
  const usage = {
    ...most,
    facteur_cpu: ((cpu(world.facteur.child) - before.facteur) / (now() - before.at)) * 100,
    servers_cpu: ((cpu(world.servers.child) - before.servers) / (now() - before.at)) * 100,
    busy: performance.eventLoopUtilization(busy).utilization * 100,
    load: loadavg()[0] / cpus().length,
  };
  const left = await arrive(world, Object.entries(sent), now() + PATIENCE);
  agent.destroy();
  if (failed.length > 0) throw new Error(`${failed.length} messages were not taken: ${failed[0]}`);
  const late = now();
  const took = ([who, all]) => [
    who,
    all.map(({ subject, due }) => rounded((sinkOf(world, who).arrival(subject) ?? late) - due)),
  ];
  return { name, took: Object.fromEntries(Object.entries(sent).map(took)), taken, left, ...usage };
}

const threads = ({ facteur }) => Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${facteur.child.pid}/status`))[1]);
const sinkOf = (world, who) => (who === "relay" ? world.relay : world.sink);

/** Waits for all of them; returns how many did not arrive. */
async function arrive(world, sent, until) {
  for (;;) {
    const waiting = sent.flatMap(([who, all]) => all.filter(({ subject }) => !sinkOf(world, who).arrival(subject)));
    if (waiting.length === 0 || now() > until) return waiting.length;
    await pause(50);
  }
}
