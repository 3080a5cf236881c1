// The rules of the day, and their violations.

export class Ledger {
  /** For each rule: how often it was checked, and its violations. */
  rules = new Map();

  /** Checks a rule: `problem` describes a violation; undefined, false or an empty list means none. */
  look(rule, problem) {
    const entry = this.rules.get(rule) ?? { looked: 0, problems: [] };
    this.rules.set(rule, entry);
    entry.looked++;
    entry.problems.push(...[problem].flat().filter(Boolean));
  }

  get holds() {
    return [...this.rules.values()].every(({ problems }) => problems.length === 0);
  }

  /** Prints each rule on a line, and its violations below it. */
  print(most = 25) {
    for (const [rule, { looked, problems }] of this.rules) {
      console.log(`${problems.length ? "BROKEN" : "ok    "}  ${rule} (${looked})`);
      for (const problem of problems.slice(0, most)) console.log(`          ${problem}`);
      if (problems.length > most) console.log(`          … and ${problems.length - most} more`);
    }
  }
}
