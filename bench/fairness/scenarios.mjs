// What is measured: who the neighbours are, how many, and how they behave.
import { KINDS } from "./kinds.mjs";

/** The kinds that stand beside the good account at once, each as often as any other. */
const MIXED = [
  ...["closed", "blackhole", "silent", "late-banner", "slow-replies", "drip", "auth-hangs", "tarpit-354", "no-answer"],
  ...["tls-hangs", "starttls-hangs", "almost-slow", "half-slow", "421", "451", "550", "greylist", "cut"],
  ...["endless-fast", "garbage"],
];

/** The most connections that the owner of an account may ask for. */
const GREEDY = 20;

export function scenarios({ quick, kinds, only, rounds, seconds, accounts, each, connections, all }) {
  const usual = { accounts: 40, each: quick ? 50 : 200, rate: 40, tests: false };
  const main = {
    ...usual,
    kinds: MIXED,
    rounds: Number(rounds ?? (quick ? 1 : 3)),
    first: quick ? seconds : 60,
    steady: quick ? 0 : seconds,
  };
  const mixed = [
    { name: "forty of all kinds", ...main },
    { name: "forty, twenty connections each", ...main, connections: GREEDY },
    { name: "forty, and live tests", ...main, tests: true },
    { name: "two hundred of all kinds", ...main, accounts: 200, each: main.each / 4 },
  ];
  const one = (kind) => ({
    name: `${accounts}: ${KINDS[kind].title}`,
    ...usual,
    accounts: Number(accounts),
    each: Number(each ?? Math.ceil((usual.each * usual.accounts) / accounts)),
    kinds: [kind],
    rounds: Number(rounds ?? 1),
    first: seconds,
    steady: 0,
    connections: connections === undefined ? GREEDY : Number(connections) || undefined,
  });
  if (kinds !== undefined) return (kinds === "all" ? all : kinds.split(",")).map(one);
  const named = mixed.filter(({ name }) => only === undefined || only.split(";").includes(name));
  if (quick) return named.slice(0, 1);
  return only === undefined ? [...named, ...all.map(one)] : named;
}
