// The day in numbers.

export function table(messages, accounts) {
  const rows = accounts.map((account) => {
    const mine = messages.filter((message) => message.account === account);
    const of = (state) => mine.filter(({ seen }) => seen?.state === state);
    const unknown = of("delivery_unknown");
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    return {
      account: account.name,
      server: account.kind,
      messages: mine.length,
      accepted: of("accepted").length,
      failed: of("failed").length,
      unknown: unknown.length,
      arrived: unknown.filter(({ copies }) => copies?.length).length,
      copies: account.server.kept.length,
      attempts: sum(mine.map(({ seen }) => seen?.attempts.length ?? 0)),
      connections: account.server.conversations.length,
      logins: account.server.logins.length,
    };
  });
  const total = Object.fromEntries(Object.keys(rows[0]).map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)]));
  print([...rows, { ...total, account: "in all", server: "" }]);
}

function print(rows) {
  const names = Object.keys(rows[0]);
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)));
  const cell = (value, at) => (at < 2 ? String(value).padEnd(widths[at]) : String(value).padStart(widths[at]));
  const line = (values) => values.map(cell).join("  ");
  console.log(line(names));
  for (const row of rows) console.log(line(names.map((name) => row[name])));
}

/** Counts each value, the most frequent first. */
export function tally(list) {
  const counts = new Map();
  for (const one of list) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([one, times]) => `${times} ${one}`).join(", ") || "none";
}
