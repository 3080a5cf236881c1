// The results as text and tables.
import { median, number, percentile, table } from "../statistics.mjs";
import { warnings } from "../subject.mjs";
import { GOOD } from "./measure.mjs";

const MOST = 1.5;

const phaseOf = (round, name) => round.phases.find((phase) => phase.name === name);
const p = (round, name, who, share) => {
  const took = phaseOf(round, name)?.took[who];
  return took?.length > 0 ? percentile(took, share) : undefined;
};

function medianOf(values) {
  const known = values.filter((value) => value !== undefined && !Number.isNaN(value));
  return known.length > 0 ? median(known) : undefined;
}

const shown = (value) => (value === undefined ? "" : number(value));

/** p95 beside bad accounts, divided by p95 alone, for each round. */
export function ratio(rounds, who, phase) {
  return medianOf(rounds.map((round) => p(round, phase, who, 0.95) / p(round, "alone", who, 0.95)));
}

const verdict = (value) => (value === undefined ? "" : value <= MOST ? number(value) : `**${number(value)}**`);

function detail({ name, done, failed, accounts, connections, each, rate, kinds }) {
  const heading = `### ${name}\n\n${accounts} accounts (${kinds.join(", ")}), ${connections ?? "the default"} connections each, ${each} messages waiting each, ${rate} new ones a second in all.`;
  if (done.length === 0) return `${heading}\n\n**Not measured**: ${failed}`;
  const phases = ["alone", "first", "steady"].filter((phase) => phaseOf(done[0], phase));
  const rows = Object.entries(GOOD).flatMap(([who, { title }]) =>
    phases.map((phase) => [
      phase === "alone" ? title : "",
      phase,
      ...[0.5, 0.95, 0.99, 1].map((share) => shown(medianOf(done.map((round) => p(round, phase, who, share))))),
      phase === "alone" ? "" : verdict(ratio(done, who, phase)),
      done.reduce((sum, round) => sum + (phaseOf(round, phase)?.took[who].length ?? 0), 0),
    ]),
  );
  const mean = (phase, what) => shown(medianOf(done.map((round) => phaseOf(round, phase)?.[what])));
  const machine = phases.map((phase) => [
    phase,
    ...["facteur_cpu", "servers_cpu", "busy", "load", "memory", "threads", "conversations"].map((what) =>
      mean(phase, what),
    ),
    done.reduce((sum, round) => sum + (phaseOf(round, phase)?.left ?? 0), 0),
    shown(medianOf(done.map((round) => percentile(phaseOf(round, phase).taken, 0.95)))),
  ]);
  const head = ["good account", "", "p50, ms", "p95, ms", "p99, ms", "longest, ms", "p95 beside ÷ alone", "messages"];
  const machineHead = [
    "",
    "Facteur's CPU, %",
    "bad servers' CPU, %",
    "generator busy, %",
    "load average ÷ cores",
    "memory, MB",
    "threads",
    "most conversations",
    "did not arrive",
    "p95 until 202, ms",
  ];
  return `${heading}\n\n${table(head, rows)}\n\n${table(machineHead, machine)}`;
}

function summary(scenarios) {
  const measured = scenarios.filter(({ done }) => done.length > 0);
  const rows = measured.map(({ name, done }) => [
    name,
    ...Object.keys(GOOD).flatMap((who) => verdict(ratio(done, who, "first"))),
    verdict(ratio(done, "own", "steady")),
    done.length,
  ]);
  const head = ["neighbours", ...Object.keys(GOOD).map((who) => `${who}, first`), "own, steady", "rounds"];
  return table(head, rows);
}

export function report({ date, seconds, quick, load, outbox, build, facteur, built, node, machine, scenarios }) {
  const rates = Object.entries(GOOD).map(
    ([who, { title, rate }]) => `- *${who}*: ${title}, ${number(rate * load)} a second`,
  );
  return `# A good account beside bad ones

${warnings(build, quick)}${date}, ${seconds} s. Facteur ${facteur} (${build}, built ${built}), Node ${node}, ${machine.cores} cores of ${machine.cpu}.${outbox && ` With \`${outbox}\`.`}

From the due time of a message's POST until its end has arrived at its mail server, in milliseconds. All good accounts send
at the same time, alone and beside bad ones:

${rates.join("\n")}

*alone*: the bad accounts exist and have no messages. *first*: from the start of their waiting messages. *steady*: from 75 s
later. The requirement: p95 beside bad accounts is at most ${MOST} times p95 alone. Ratios are computed for each round; this is their
median. The bad servers have the lowest priority, and their processor time is counted separately: on the internet they run elsewhere.

## Ratios of p95

${summary(scenarios)}

Messages of good accounts that arrived twice: ${scenarios.flatMap(({ done }) => done).reduce((sum, { twice }) => sum + twice, 0)}.

## Each in full

${scenarios
  .filter(({ done, failed }) => done.length > 0 || failed)
  .map(detail)
  .join("\n\n")}
`;
}
