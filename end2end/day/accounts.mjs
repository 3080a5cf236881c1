// The ten accounts of the portal, with the kind and the features of each one's mail server. A second portal has an
// account with the same name as one of the first: neither may see the other's data.
import { delays, kinds } from "./servers/kinds.mjs";
import { MailServer } from "./servers/server.mjs";

export const PORTAL = "demo";
export const OTHER_PORTAL = "other";

const described = [
  { id: "tls", kind: "good", security: "tls", mechanisms: ["PLAIN"], pipelining: true, chunking: true },
  { id: "starttls", kind: "good", security: "starttls", mechanisms: ["LOGIN"], pipelining: true },
  { id: "slow", kind: "slow", security: "none", mechanisms: ["PLAIN", "LOGIN"] },
  { id: "flaky", kind: "flaky", security: "none", mechanisms: ["PLAIN"], pipelining: true },
  { id: "grey", kind: "grey", security: "starttls", mechanisms: ["PLAIN"], pipelining: true, chunking: true },
  { id: "picky", kind: "picky", security: "none", mechanisms: ["PLAIN"], pipelining: true, chunking: true },
  { id: "locked", kind: "locked", security: "tls", mechanisms: ["PLAIN"], pipelining: true },
  { id: "mended", kind: "mended", security: "none", mechanisms: ["PLAIN"], chunking: true },
  { id: "hostile", kind: "hostile", security: "none", mechanisms: ["PLAIN"], pipelining: true },
  { id: "relayed", kind: "good", mode: "portal", security: "none", mechanisms: ["PLAIN"] },
];

/** The account of the other portal, with the same name. */
const foreign = { id: "tls", kind: "good", mode: "portal", security: "none", mechanisms: [], portal: OTHER_PORTAL };

/** The accounts with their servers, which listen already. */
export async function open(chance, secureContext) {
  const accounts = [];
  for (const description of [...described, foreign]) {
    const account = { portal: PORTAL, mode: "own_smtp", weather: "good", ...description };
    account.name = account.portal === PORTAL ? account.id : `${account.portal}-${account.id}`;
    account.login = account.mechanisms.length ? `login-of-${account.name}` : undefined;
    account.secret = `secret of ${account.name}, 1 "2" \\3 é`;
    account.sender =
      account.mode === "portal"
        ? { address: `no-reply@${account.portal}.example`, name: `Portal ${account.portal}` }
        : { address: `shop@${account.id}.example`, name: `Épicerie « ${account.id} », fils` };
    account.server = await new MailServer({
      ...account,
      secureContext,
      behaviour: (kinds[account.kind] ?? kinds.good)(chance, account),
      delay: delays[account.kind]?.(chance) ?? (() => 0),
    }).listen();
    accounts.push(account);
  }
  return accounts;
}

/** The first third of the repaired server's day, in milliseconds: three ways of being broken. */
export async function badWeather(account, third) {
  const { server } = account;
  account.weather = "closing";
  await later(third / 3);
  account.weather = "refused";
  await server.close();
  await later(third / 3);
  account.weather = "busy";
  await server.listen();
  await later(third / 3);
  account.weather = "good";
}

const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
