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

/** All kinds at once, and what is aimed at one limit. */
function aimed({ quick, rounds, seconds }) {
  const all = { accounts: 40, each: 200, rate: 40, kinds: MIXED, rounds, first: 60, steady: seconds };
  if (quick) return [{ ...all, name: "forty of all kinds", each: 50, first: seconds, steady: 0 }];
  return [
    { ...all, name: "forty of all kinds" },
    { ...all, name: "forty, twenty connections each", connections: GREEDY },
    { ...all, name: "forty, and live tests", tests: true },
    { ...all, name: "two hundred of all kinds", accounts: 200, each: 50 },
    // Conversations that wait: the places that are left for accounts of which nothing is known.
    {
      ...all,
      name: "three hundred that never answer the end",
      accounts: 300,
      each: 8,
      kinds: ["no-answer"],
      steady: 0,
    },
    // Those that were quick, all at once.
    { ...all, name: "a hundred that fall silent", accounts: 100, each: 260, kinds: ["sleeper"], connections: GREEDY },
  ];
}

/** As many accounts as wanted, all of one kind. */
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
