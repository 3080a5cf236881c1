// The results as text and tables. Losses are shown as plainly as wins.
import { number, ratios, table, written } from "./statistics.mjs";
import { warnings } from "./subject.mjs";

const PEERS = { nodemailer: "nodemailer", source: "smtp-source", postfix: "Postfix, a durable relay" };

export function report(results) {
  const { samples } = results;
  const cell = (name) => (samples[name] ? written(samples[name]) : "not measured");
  const parts = { ...results, cell };
  return (
    [
      heading(results),
      "## Messages to a mail server that answers at once",
      messages(parts, "near"),
      `## Messages to a mail server ${number(results.machine.way.alone_ms)} ms away`,
      messages(parts, "far"),
      "## Requests",
      requests(parts),
      "## Memory, start, size",
      server(parts),
      footing(results),
    ].join("\n\n") + "\n"
  );
}

function heading({ date, seconds, rounds, quick, versions, machine, counts, connections, posts }) {
  const way = machine.way;
  return `# Facteur, measured beside others

${warnings(versions.build, quick)}${date}, ${seconds} s. Facteur ${versions.facteur} (${versions.build}, built ${versions.built}), nodemailer ${versions.nodemailer}, Postfix
${versions.postfix}, Node ${versions.node}. ${machine.cores} cores of ${machine.cpu}; one write that the disk has promised (fsync of 4 kB) takes ${number(machine.sync_ms)} ms.

Median [least–most] of ${rounds} interleaved round${rounds === 1 ? "" : "s"}, after a discarded one. Ratios are computed for each round; a ratio whose range includes 1
counts as level. Sender, load generator and mail server share the cores: absolute values apply to this machine only.

**The work differs.** Facteur accepts each message over HTTP, writes it to disk before it answers, writes again before and
after the end of each conversation, and can account for every message after a crash. nodemailer and smtp-source keep messages
in memory and write nothing; smtp-source does not even compose a message. Postfix as a relay does the same as Facteur, but with
composed messages: smtp-source sends it ${connections} at a time, it stores each in its queue on the same disk, and its client
sends them over cached connections to the same sink. Facteur has two lines: *end to end* is from the first POST (${posts} at
once) to the last arrival; *queue* is ${counts.waiting} waiting messages, once a paused mail server responds again. Facteur's CPU
includes HTTP, but not the portal's own requests. nodemailer's CPU is that of a process that does nothing else.

All use ${connections} connections, no TLS, one recipient, 2 kB of text. Postfix's smtp-sink, which receives every message, counts the
arrivals (\`-c\`). A proxy adds the latency: a round trip of ${number(way.alone_ms)} ms for one request, ${number(way.fifty_at_once_ms)} ms for fifty at the
same instant, ${number(way.megabytes_per_second)} MB/s. nodemailer runs warm, in one process for all rounds.`;
}

function messages({ samples, cell }, where) {
  const row = (name, who) => [
    name,
    cell(`rate/${where}/${who}`),
    cell(`cpu/${where}/${who}`),
    samples[`bytes/${where}/${who}`] ? number(samples[`bytes/${where}/${who}`].median) : "–",
  ];
  const rows = [
    row("Facteur, end to end", "facteur"),
    row("Facteur, queue", "queue"),
    row("nodemailer, pooled", "nodemailer"),
    row("smtp-source", "source"),
    ...(where === "near" ? [row("Postfix, as a durable relay", "postfix")] : []),
    [
      "Facteur, only accepting (POST, nothing is sent)",
      cell(`rate/taken ${where}/facteur`),
      cell(`cpu/taken ${where}/facteur`),
      "–",
    ],
  ];
  const compared = [];
  for (const [own, name] of [
    ["facteur", "end to end"],
    ["queue", "queue"],
  ]) {
    for (const [what, label] of [
      ["rate", "messages per second"],
      ["cpu", "CPU per message"],
    ]) {
      const ours = samples[`${what}/${where}/${own}`];
      const against = (peer) => {
        const theirs = samples[`${what}/${where}/${peer}`];
        return ours && theirs ? verdict(ratios(ours.values, theirs.values), what === "rate") : "not measured";
      };
      compared.push([`${label}, ${name}`, ...Object.keys(PEERS).map(against)]);
    }
  }
  const head = ["", "messages/s", "CPU ms/message", "bytes/message on the wire"];
  return [table(head, rows), table(["Facteur against", ...Object.values(PEERS)], compared)].join("\n\n");
}

function verdict(ratio, moreIsBetter) {
  const better = moreIsBetter ? ratio.min > 1 : ratio.max < 1;
  const worse = moreIsBetter ? ratio.max < 1 : ratio.min > 1;
  return `${written(ratio)} times: ${better ? "**wins**" : worse ? "**loses**" : "level"}`;
}

function requests({ cell }) {
  const names = { POST: "POST /api/v1/messages (2 kB), while they are sent", GET: "GET /api/v1/messages/{id}" };
  const row = (name, many, figure, rate = true) => {
    const of = (what, there = true) => (there ? cell(`${what}/${figure}`) : "–");
    return [name, many, of("rate", rate), of("p50", figure !== "list/16"), of("p99", figure !== "list/16"), of("busy")];
  };
  const rows = Object.entries(names).flatMap(([what, name]) =>
    [1, 8, 32].map((many) => row(name, many, `${what}/${many}`)),
  );
  rows.push(row("GET /profiles, at the maximum rate", 16, "list/16"));
  rows.push(row("GET /profiles, at 70 % of that, from its due time", "–", "list/70", false));
  const head = ["", "at once", "requests/s", "p50 ms", "p99 ms", "generator busy, %"];
  return `${table(head, rows)}

The load generator is one Node process. If it is busy nearly all the time, the rate and much of the p99 are its own.`;
}

function server({ samples, cell, binary_mb, counts }) {
  const kept = (value, budget) =>
    value === undefined ? "" : value <= budget ? `${budget}: kept` : `${budget}: **MISSED**`;
  const budget = (name, most) => [cell(name), kept(samples[name]?.median, most)];
  return table(
    ["", "", "budget"],
    [
      ["memory when idle, MB", ...budget("memory/idle/facteur", 20)],
      [
        `memory with ${counts.waiting} messages waiting for an unreachable relay, MB`,
        cell("memory/waiting/facteur"),
        "",
      ],
      ["start until /readyz, new database, ms", cell("start/new/facteur"), ""],
      ["start until /readyz, ms", ...budget("start/again/facteur", 50)],
      ["from SIGTERM to the end when idle, ms", cell("stop/idle/facteur"), ""],
      ["p99 of the list page at 70 %, ms", ...budget("p99/list/70", 30)],
      ["binary, MB", number(binary_mb), kept(binary_mb, 20)],
    ],
  );
}

function footing({ failures, states }) {
  const failed = Object.entries(failures).map(([name, why]) => `- **not measured**: ${name}: ${why}`);
  const said = Object.entries(states).map(([portal, counts]) => `${portal}: ${JSON.stringify(counts)}`);
  return [...failed, `The states of all messages, counted by Facteur: ${said.join("; ")}.`].join("\n");
}
