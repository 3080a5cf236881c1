// Medians, percentiles, and their formats.

const sorted = (values) => [...values].sort((a, b) => a - b);

export function median(values) {
  const all = sorted(values);
  const middle = all.length >> 1;
  return all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

/** The value that `share` of all values do not exceed. */
export function percentile(values, share) {
  const all = sorted(values);
  return all[Math.max(0, Math.ceil(all.length * share) - 1)];
}

export const summary = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  values,
});

/** For each round, because a disturbance affects both values. */
export const ratios = (ours, theirs) => summary(ours.map((value, round) => value / theirs[round]));

/** Three significant digits are more than a shared machine can reproduce. */
export function number(value) {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

/** A table of Markdown: the first column is text, the others are numbers. */
export const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

export const written = ({ median, min, max }) => `${number(median)} [${number(min)}–${number(max)}]`;
