// How many connections each mail server had at the same time.

/** A closed connection is noticed a little later, above all if the process was killed. */
const SEEN_LATE_MS = 300;

export function limits(ledger, accounts, most, ends) {
  for (const { name, server } of accounts) {
    const spans = server.conversations.map(({ number, opened, closed }) => ({
      number,
      opened,
      closed: Math.max(opened, (closed ?? Infinity) - SEEN_LATE_MS),
    }));
    const open = (at) => spans.filter((span) => span.opened <= at && at < span.closed);
    const counts = spans.map(({ opened }) => open(opened).length);
    const highest = Math.max(0, ...counts);
    const told = () => {
      const at = spans[counts.indexOf(highest)].opened;
      const killed = ends.filter(({ ended }) => ended <= at).at(-1);
      const list = open(at).map(({ number }) => JSON.stringify(server.conversations[number])).join(", ");
      return `${name}: ${highest} instead of ${most} at ${at}: ${list}; the last end before: ${JSON.stringify(killed)}`;
    };
    ledger.look("no server has more connections than its limit", highest > most && told());
  }
}
