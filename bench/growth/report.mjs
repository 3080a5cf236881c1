// The results as tables: a line for each measurement, a column for each amount, and the ratio of the largest to the
// smallest.
import { number, ratios, table, written } from "../statistics.mjs";
import { warnings } from "../subject.mjs";

/** The largest ratio allowed. */
export const MOST = 1.5;

const NAMES = [
  ["arrival/p50", "POST until the sink has it, 50 a second, p50"],
  ["arrival/p95", "p95"],
  ["arrival/p99", "p99"],
  ["POST/p50", "POST, eight at once, p50"],
  ["POST/p99", "p99"],
  ["POST/rate", "a second", true],
  ["drain/rate", "due messages of the long lane, a second", true],
  ["list, a small account/p50", "API list of a small account, p50"],
  ["list, a small account/p99", "p99"],
  ["list, the long account/p50", "API list of the account with a fifth of all, p50"],
  ["list, the long account/p99", "p99"],
  ["list, the long account, failed/p50", "its failed messages (none), p50"],
  ["list, the long account, last page/p50", "its last page, p50"],
  ["profiles/p50", "page of profiles, p50"],
  ["profiles/p99", "p99"],
  ["metrics/p50", "/metrics, p50"],
  ["idle/facteur", "when idle: processor time of Facteur, ms a second"],
  ["idle/database", "of PostgreSQL, ms a second"],
  ["memory/resident", "memory, MB", false],
  ["start/ready", "start until /readyz"],
  ["start/first message", "until a message has arrived"],
  ["start after a crash/ready", "start after a crash until /readyz"],
  ["start after a crash/first message", "until a message has arrived"],
  ["start after an hour away/ready", "start after an hour without a process until /readyz"],
  ["start after an hour away/first message", "until a message has arrived"],
];

/** How many times worse, computed for each round. */
export function worse(most, least, moreIsBetter) {
  const [from, to] = moreIsBetter ? [most, least] : [least, most];
  const count = Math.min(from.values.length, to.values.length);
  return ratios(to.values.slice(0, count), from.values.slice(0, count));
}

const verdict = (ratio) => (ratio.median > MOST ? `**${written(ratio)}**` : written(ratio));

/** Every ratio above the limit, as text. */
export function misses(kind, { samples, amounts }) {
  const found = [];
  for (const [what, list] of Object.entries(amounts)) {
    for (const [name, , more] of NAMES) {
      const [least, most] = [list[0], list.at(-1)].map((amount) => samples[`${kind}, ${amount}`]?.[name]);
      if (!least || !most || least.median === 0) continue;
      const ratio = worse(most, least, more);
      if (ratio.median > MOST) found.push(`${kind}, ${what}: ${name}: ${written(ratio)}`);
    }
  }
  return found;
}

function worlds(kind, { samples, amounts }) {
  const columns = Object.values(amounts);
  const rows = NAMES.map(([name, label, more]) => {
    const cells = columns.flatMap((list) => {
      const of = list.map((amount) => samples[`${kind}, ${amount}`]?.[name]);
      const [least, most] = [of[0], of.at(-1)];
      const ratio = least && most && least.median > 0 ? verdict(worse(most, least, more)) : "–";
      return [...of.map((sample) => (sample ? number(sample.median) : "–")), ratio];
    });
    return [label, ...cells];
  });
  const head = Object.entries(amounts).flatMap(([, list]) => [...list, "ratio"]);
  return table(["ms, unless it says otherwise", ...head], rows);
}

function cleaning(samples) {
  const kinds = Object.keys(samples).filter((name) => name.endsWith(", cleaning"));
  const rows = kinds.flatMap((name) => {
    const all = samples[name];
    const line = (label, figure) => {
      const [kept, gone] = [all[`kept, ${figure}`], all[`cleaning, ${figure}`]];
      if (!kept || !gone) return [label, "–", "–", "–"];
      return [label, written(kept), written(gone), verdict(worse(gone, kept))];
    };
    const [kind] = name.split(",");
    const rate = all["cleaning/rate"];
    return [
      line(`${kind}: POST until the arrival at the sink, p50`, "arrival/p50"),
      line("p95", "arrival/p95"),
      line("p99", "arrival/p99"),
      line("POST, eight at once, p50", "POST/p50"),
      line("p99", "POST/p99"),
      [
        "deleted a second",
        "–",
        rate ? written(rate) : "–",
        rate ? `a million in ${number(1e6 / rate.median / 60)} min` : "–",
      ],
    ];
  });
  return table(["ms", "nothing is deleted", "during the clean-up", "ratio"], rows);
}

export function report(results) {
  const { date, seconds, rounds, quick, versions, machine, counts, failures, samples, sizes } = results;
  const kinds = Object.keys(versions).filter((name) => name === "sqlite" || name === "postgres");
  const missed = kinds.flatMap((kind) => misses(kind, results));
  return `# Facteur, as it grows

${warnings(versions.build, quick)}${date}, ${seconds} s. Facteur ${versions.facteur} (${versions.build}, built ${versions.built}), PostgreSQL ${versions.postgres ?? "–"}, Node ${versions.node}.
${machine.cores} cores of ${machine.cpu}; the load of the machine was ${machine.load.map(number).join(", ")} at the start and the end of the rounds. ${rounds} interleaved round${rounds === 1 ? "" : "s"};
cells are medians, ratios are computed for each round: median [least–most], the largest amount to the smallest; above ${MOST} they are bold.

Of the waiting messages, two fifths were deferred by their accounts' own servers, two fifths are due at one server in back-off, and a fifth
is in one long lane. Other accounts send at the same time, through a relay and through their own server. In each round: ${counts.posts} POSTs, at
most ${counts.gets} requests of each kind, arrivals at ${counts.rate} a second for ${counts.seconds} s, ${counts.drained} messages drained.

${kinds.map((kind) => `## ${kind}\n\n${worlds(kind, results)}`).join("\n\n")}

## Deleting ${counts.finished} messages while others are sent

${cleaning(samples)}

## Above ${MOST}

${missed.length > 0 ? missed.map((line) => `- ${line}`).join("\n") : "Nothing."}

${Object.entries(failures)
  .map(([name, why]) => `- **not measured**: ${name}: ${why}`)
  .join("\n")}
Sizes, MB: ${Object.entries(sizes)
    .map(([name, size]) => `${name}: ${number(size)}`)
    .join("; ")}.
`;
}
