// The cost of a request should not depend on the number of waiting messages, finished messages and profiles. Runs the
// same measurements with small and very large numbers, on both databases, in interleaved rounds, so that a disturbance
// of the machine affects all of them. Called by scripts/growth, which installed what is needed.
//
// To add a measurement: a function in growth/measures.mjs that returns samples by name, a line in `round`, its row in
// growth/report.mjs.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cleaning } from "./growth/cleaning.mjs";
import { PostgresDatabase, Sqlite } from "./growth/databases.mjs";
import { Mailbox } from "./growth/mailbox.mjs";
import { arrivals, drain, idle, post, reads, restarts } from "./growth/measures.mjs";
import { Postgres } from "./growth/postgres.mjs";
import { report } from "./growth/report.mjs";
import { PATIENCE, World } from "./growth/world.mjs";
import { now, pause, stop } from "./processes.mjs";
import { summary } from "./statistics.mjs";
import { emptyFolder, keep, machine, subject } from "./subject.mjs";

const quick = process.argv.includes("--quick");
const given = (name) => process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
/** Parts: --only=sqlite, --only=postgres, --only=cleaning; several with commas. */
const only = given("only")?.split(",") ?? [];
const rounds = Number(given("rounds") ?? (quick ? 1 : 3));
const amounts = quick
  ? { waiting: [10, 1_000, 20_000], profiles: [100, 20_000], finished: 20_000 }
  : { waiting: [10, 10_000, 1_000_000], profiles: [100, 1_000_000], finished: 1_000_000 };
const counts = quick
  ? { posts: 200, gets: 40, seconds: 2, rate: 30, drained: 300, idle: 1500, finished: amounts.finished }
  : { posts: 800, gets: 300, seconds: 10, rate: 50, drained: 2000, idle: 8000, finished: amounts.finished };
const requests = { gets: counts.gets, seconds: quick ? 2 : 5 };

const began = now();
const folder = emptyFolder("run-growth");
const { binary, versions } = subject("growth");
const load = () => Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);

const all = {};
const failures = {};
const sizes = {};
async function step(world, name, run) {
  const start = now();
  try {
    const into = (all[world.name] ??= {});
    for (const [sample, value] of Object.entries(await run())) (into[sample] ??= []).push(value);
    console.error(`  ${world.name}: ${name}: ${((now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    failures[`${world.name}: ${name}`] = `${error.message} ${world.facteur.child.said.split("\n").at(-2) ?? ""}`.trim();
    console.error(`  ${world.name}: ${name}: NOT MEASURED: ${error.message}`);
  }
}

async function round(world) {
  await world.facteur.start(PATIENCE);
  await pause(1000);
  await step(world, "arrivals", () => arrivals(world, "arrival", ["shop-1", "own"], counts));
  await step(world, "posts", () => post(world, counts));
  await step(world, "drain", () => drain(world, counts));
  await step(world, "reads", () => reads(world, requests));
  await step(world, "idle", () => idle(world, counts));
  await step(world, "restarts", () => restarts(world));
  await world.facteur.stop();
}

/** A part is a database, or the clean-up on both. */
const wanted = (kind) => !only.some((part) => part !== "cleaning") || only.includes(kind);
const mailbox = await Mailbox.start();
const server = wanted("postgres") ? await Postgres.start(join(folder, "postgres")) : null;
const databases = {
  ...(wanted("sqlite") && { sqlite: ({ folder }) => new Sqlite(folder) }),
  ...(server && { postgres: ({ name }) => new PostgresDatabase(server, name) }),
};
const [least, , most] = amounts.waiting;
const few = amounts.profiles[0];
/** By the names of the columns. The numbers of profiles are compared with few waiting messages. */
const columns = {
  waiting: amounts.waiting.map((count) => `${count} waiting`),
  profiles: amounts.profiles.map((count) => (count === few ? `${least} waiting` : `${count} profiles`)),
};
const worlds = [];
const cleaned = [];
for (const [kind, make] of Object.entries(databases)) {
  const common = { binary, folder, mailbox, make };
  const add = async (list, parts) => {
    const world = await World.build({ ...common, ...parts, name: `${kind}, ${parts.name}` });
    sizes[world.name] = world.database.megabytes();
    list.push(world);
  };
  if (!only.includes("cleaning")) {
    for (const waiting of amounts.waiting) await add(worlds, { name: `${waiting} waiting`, waiting, profiles: few });
    const profiles = amounts.profiles.at(-1);
    await add(worlds, { name: `${profiles} profiles`, waiting: least, profiles });
  }
  await add(cleaned, { name: "cleaning", waiting: least, profiles: few, finished: amounts.finished });
}
const loads = [load()];
for (let number = 0; number < rounds; number++) {
  console.error(`round ${number + 1} of ${rounds}`);
  // Each round begins with another one.
  for (let i = 0; i < worlds.length; i++) await round(worlds[(i + number) % worlds.length]);
  for (const world of cleaned) await step(world, "cleaning", () => cleaning(world, counts));
}
loads.push(load());
await Promise.all([...worlds, ...cleaned].map((world) => stop(world.facteur.child)));
mailbox.stop();
await server?.stop();

const results = {
  date: new Date().toISOString(),
  seconds: Math.round((now() - began) / 1000),
  quick,
  rounds,
  counts,
  amounts: columns,
  versions: {
    ...versions,
    ...(wanted("sqlite") && { sqlite: Sqlite.version() }),
    ...(server && { postgres: server.version }),
  },
  machine: { ...machine(), load: loads },
  sizes,
  failures,
  samples: Object.fromEntries(
    Object.entries(all).map(([world, samples]) => [
      world,
      Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summary(values)])),
    ]),
  ),
};
const text = report(results);
keep("growth", results, text);
rmSync(folder, { recursive: true, force: true });
console.log(text);
process.exit(Object.keys(failures).length > 0 ? 1 : 0);
