// Rules and whoever broke them.

export class Ledger {
  /** For each rule: how often it was looked at, and what was found. */
  rules = new Map();

  /** Looks at a rule: `problem` says what is wrong, nothing or an empty list for nothing. */
  look(rule, problem) {
    const entry = this.rules.get(rule) ?? { looked: 0, problems: [] };
    this.rules.set(rule, entry);
    entry.looked++;
    entry.problems.push(...[problem].flat().filter(Boolean));
  }

  get holds() {
    return [...this.rules.values()].every(({ problems }) => problems.length === 0);
  }

  /** Each rule on a line, and below it what broke it. */
  print(most = 25) {
    for (const [rule, { looked, problems }] of this.rules) {
      console.log(`${problems.length ? "BROKEN" : "ok    "}  ${rule} (${looked})`);
      for (const problem of problems.slice(0, most)) console.log(`          ${problem}`);
      if (problems.length > most) console.log(`          … and ${problems.length - most} more`);
    }
  }
}
