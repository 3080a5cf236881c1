// The scenarios: the bad accounts, their number and their behaviour.
import { KINDS } from "./kinds.mjs";

/** The kinds that run beside the good accounts at the same time, in equal numbers. */
const MIXED = [
  ...["closed", "blackhole", "silent", "late-banner", "slow-replies", "drip", "auth-hangs", "tarpit-354", "no-answer"],
  ...["tls-hangs", "starttls-hangs", "almost-slow", "half-slow", "421", "451", "550", "greylist", "cut"],
  ...["endless-fast", "garbage"],
];

/** The most connections that an account's owner can set. */
const GREEDY = 20;

/** All kinds at once, and attacks on one limit. */
function aimed({ quick, rounds, seconds }) {
  const all = { accounts: 40, each: 200, rate: 40, kinds: MIXED, rounds, first: 60, steady: seconds };
  if (quick) return [{ ...all, name: "forty of all kinds", each: 50, first: seconds, steady: 0 }];
  return [
    { ...all, name: "forty of all kinds" },
    { ...all, name: "forty, twenty connections each", connections: GREEDY },
    { ...all, name: "forty, and live tests", tests: true },
    { ...all, name: "two hundred of all kinds", accounts: 200, each: 50 },
    // Waiting conversations: the slots that are left for accounts without a history.
    {
      ...all,
      name: "three hundred that never answer the end",
      accounts: 300,
      each: 8,
      kinds: ["no-answer"],
      steady: 0,
    },
    // Accounts that were quick, all at once.
    { ...all, name: "a hundred that fall silent", accounts: 100, each: 260, kinds: ["sleeper"], connections: GREEDY },
  ];
}

/** Any number of accounts, all of one kind. */
function ofKind(kind, { rounds, seconds, accounts, each, connections }) {
  return {
    name: `${accounts}: ${KINDS[kind].title}`,
    accounts: Number(accounts),
    each: Number(each ?? Math.ceil(8_000 / accounts)),
    rate: 40,
    kinds: [kind],
    rounds,
    first: seconds,
    steady: 0,
    connections: Number(connections) || undefined,
  };
}

export function scenarios(options) {
  const { quick, kinds, only, seconds } = options;
  const all = Object.keys(KINDS);
  const each = (names, rounds) =>
    names.map((kind) => ofKind(kind, { ...options, rounds: Number(options.rounds ?? rounds) }));
  if (kinds !== undefined) return each(kinds === "all" ? all : kinds.split(","), 1);
  const several = aimed({ quick, seconds, rounds: Number(options.rounds ?? (quick ? 1 : 3)) });
  if (only !== undefined) return several.filter(({ name }) => only.split(";").includes(name));
  return quick ? several : [...several, ...each(all, 1)];
}
