// How many connections each mail server had at the same time.

/** Closing is seen a moment later than it happens, above all when a process was killed. */
const SEEN_LATE_MS = 300;

export function limits(ledger, accounts, most) {
  for (const { name, server } of accounts) {
    const steps = server.conversations.flatMap(({ opened, closed }) => [
      [opened, 1],
      [Math.max(opened, (closed ?? Infinity) - SEEN_LATE_MS), -1],
    ]);
    steps.sort(([one, up], [other, down]) => one - other || up - down);
    let now = 0;
    const highest = Math.max(0, ...steps.map(([, step]) => (now += step)));
    ledger.look("no server has more connections than it may", highest > most && `${name}: ${highest} instead of ${most}`);
  }
}
