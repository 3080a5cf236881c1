// An accessibility snapshot without values that differ between runs: ports, ids, instants, durations, sizes.
const MONTHS = [
  ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
  ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
];
const DATE = new RegExp(`(\\d{1,2})(?:er)? (${MONTHS.flat().join("|")}) (20\\d\\d)`, "g");
const DAY_MS = 24 * 60 * 60 * 1_000;

/** A date of this run, or thirty days before it. Dates of guides and certificates stay. */
function masked(date: string, day: string, month: string, year: string): string {
  const at = Date.UTC(Number(year), Math.max(...MONTHS.map((names) => names.indexOf(month))), Number(day));
  return Math.abs(Date.now() - at) < 35 * DAY_MS ? "DATE" : date;
}

const MASKS: [RegExp, string][] = [
  // The system assigns free ports from 32768 on.
  [/(?<![\w.])(3[2-9]|[4-6]\d)\d{3}(?!\w|\.\d)/g, "PORT"],
  [/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, "ID"],
  // Just now, or a minute later on a busy machine.
  [/à l’instant|il y a \d+ (min|s)\b|just now|\d+ (min|s) ago/g, "MOMENT"],
  [/\d\d:\d\d(?=\sUTC)|(?<=DATE (à|at) )\d\d:\d\d(:\d\d)?/g, "TIME"],
  [/(< )?\d+ ms\b/g, "TIME"],
  // A phase shows its seconds only if it takes one.
  [/ \d+ s\b/g, ""],
  [/SANDBOX\d+/g, "SANDBOXNNNN"],
  [/\b(SIZE=|BDAT )\d+/g, "$1N"],
];

export function plain(snapshot: string): string {
  return `${MASKS.reduce((text, [what, mask]) => text.replace(what, mask), snapshot.replace(DATE, masked))}\n`;
}
