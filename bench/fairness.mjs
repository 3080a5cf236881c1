// Accounts with good mail servers, alone and beside forty with slow, dead and hostile ones: what do they notice? Runs
// in rounds, each with a server of its own, because Facteur's knowledge about the bad servers is part of the result.
// Called by scripts/fairness.
import { parseArgs } from "node:util";
import { GOOD, measure } from "./fairness/measure.mjs";
import { report } from "./fairness/report.mjs";
import { scenarios } from "./fairness/scenarios.mjs";
import { World } from "./fairness/world.mjs";
import { now, pause } from "./processes.mjs";
import { emptyFolder, keep, machine, subject } from "./subject.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    kinds: { type: "string" }, // only forty of each of these kinds: a,b,c; or `all`
    only: { type: "string" }, // only these scenarios, by name
    rounds: { type: "string" },
    seconds: { type: "string" },
    accounts: { type: "string", default: "40" }, // with --kinds: how many bad accounts
    each: { type: "string" }, // with --kinds: how many messages wait for each
    connections: { type: "string" }, // with --kinds: of each bad account; the default without it
    outbox: { type: "string", default: "" }, // settings of Facteur's: "workers = 256"
    load: { type: "string", default: "1" }, // the rate of all, as a multiple of the usual one: less for a slow build
    name: { type: "string", default: "fairness" }, // of the files of results
  },
});
const { quick } = options;
const load = Number(options.load);
const seconds = Number(options.seconds ?? (quick ? 10 : 30));
const folder = emptyFolder("run-fairness");
const { binary, versions } = subject("fairness");

/** One round: the good accounts alone, then beside the bad ones. */
async function round({ kinds, accounts, connections, each, rate, tests, first, steady }) {
  const phases = 2 + (steady > 0 ? 1 : 0);
  const newcomers = phases * GOOD.new.rate * Math.max(seconds, first, steady) + 20;
  const world = await World.build({ binary, folder, kinds, accounts, connections, newcomers, outbox: options.outbox });
  world.newcomers = 0;
  try {
    await measure(world, "warming up", 3, load);
    const alone = await measure(world, "alone", seconds, load);
    await world.fill(each);
    await pause(2000);
    await world.loose({ rate: rate * load, tests });
    const loose = now();
    const phase = [alone, await measure(world, "first", first, load)];
    if (steady > 0) {
      await pause(Math.max(0, loose + 75_000 - now()));
      phase.push(await measure(world, "steady", steady, load));
    }
    const conversations = await world.servers.order("count");
    return { phases: phase, conversations, twice: world.sink.twice + world.relay.twice };
  } finally {
    await world.end();
  }
}

const began = now();
const results = {
  date: new Date().toISOString(),
  quick,
  load,
  outbox: options.outbox,
  ...versions,
  machine: machine(),
  scenarios: [],
};
const save = () => {
  results.seconds = Math.round((now() - began) / 1000);
  const text = report(results);
  keep(options.name, results, text);
  return text;
};

const wanted = scenarios({ ...options, seconds });
for (const scenario of wanted) results.scenarios.push({ ...scenario, done: [] });
const most = Math.max(...wanted.map(({ rounds }) => rounds));
let failures = 0;
// Every scenario has its first round before any has its second, so that a disturbance of the machine affects all of
// them.
for (let number = 0; number < most; number++) {
  for (const scenario of results.scenarios.filter(({ rounds }) => rounds > number)) {
    const start = now();
    try {
      scenario.done.push(await round(scenario));
      const { phases } = scenario.done.at(-1);
      const p95 = phases.map(({ took }) =>
        Math.round([...took.own].sort((a, b) => a - b)[Math.floor(took.own.length * 0.95)]),
      );
      console.error(
        `  ${scenario.name}, round ${number + 1}: p95 ${p95.join(", ")} ms, ${((now() - start) / 1000).toFixed(0)} s`,
      );
    } catch (error) {
      failures++;
      scenario.failed = error.message;
      console.error(`  ${scenario.name}, round ${number + 1}: NOT MEASURED: ${error.message}`);
    }
    save();
  }
}
console.log(save());
process.exit(failures > 0 ? 1 : 0);
