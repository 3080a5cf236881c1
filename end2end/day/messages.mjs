// What the portal's customers write: small messages with every feature of real mail.
import { OTHER_PORTAL } from "./accounts.mjs";

const SUBJECTS = [
  "Votre devis n° 2026-0042",
  "Order confirmation",
  "Relance : facture échue — merci de régler sous huit jours, à défaut de quoi nous serons au regret de suspendre la livraison",
  "☕ prêt ! 请查收",
  "=?UTF-8?Q?not_an_encoded_word?= really",
];
const LINES = [
  "Bonjour,",
  ".",
  "..two dots, and then some",
  ".a line that begins with a dot",
  "From the beginning of a line",
  "L'été, à Besançon : « 12,50 € »",
  "trailing spaces   ",
  "\ttab",
  "",
  "= equals =3D signs =",
  "日本語の長い行".repeat(40),
  `one long line: ${"word ".repeat(300)}`,
  "👩‍👩‍👧 family",
];
const NAMES = ["Claire Martin", "Éloïse Ångström", 'Jean "Jo" Dupont', "Müller, Hans", "李雷", null];
const FILES = [
  ["devis.pdf", "application/pdf"],
  ["facture été n°7.pdf", "application/pdf"],
  ['we "quote"; all.bin', "application/octet-stream"],
  ["報告.txt", "text/plain"],
];

/** `count` messages over `seconds`, the oldest first: recipients, time, and the body of the POST. */
export function plan(chance, accounts, count, seconds) {
  const mine = accounts.filter(({ portal }) => portal !== OTHER_PORTAL);
  const foreign = accounts.filter(({ portal }) => portal === OTHER_PORTAL);
  const messages = [];
  for (let number = 1; number <= count; number++) {
    const name = `m${number}`;
    // One in forty belongs to the other portal, with a key that this portal used for the previous message.
    const account = number % 40 === 0 ? foreign[0] : mine[number % mine.length];
    const key = `day-${chance.seed}-${number % 40 === 0 ? `m${number - 1}` : name}`;
    const at = chance.number("at", name) * seconds * 1000;
    messages.push({ name, account, key, at, body: body(chance, name, account) });
  }
  return messages.sort((one, other) => one.at - other.at);
}

function body(chance, name, account) {
  const person = (mark) => {
    const address = `${name}.${mark}@${chance.one(["north", "south"], "place", name, mark)}.example`;
    const called = chance.one(NAMES, "called", name, mark);
    if (called === null && chance.happens(0.5, "plain", name, mark)) return address;
    return called === null ? { address } : { address, name: called };
  };
  const to = [person("a")];
  const [cc, bcc] = [[], []];
  if (chance.happens(0.3, "second", name)) to.push(person("b"));
  if (chance.happens(0.25, "cc", name)) cc.push(person("c"));
  if (chance.happens(0.2, "bcc", name)) bcc.push(person("hidden"));
  if (account.kind === "picky") {
    const kind = chance.number("picky", name);
    if (kind < 0.1) to.splice(0, 2, person("refused"));
    else if (kind < 0.4) to.push(person("refused"));
    if (kind > 0.3 && kind < 0.7) chance.one([to, cc, bcc], "later", name).push(person("later"));
  }
  return {
    account: account.id,
    user: null,
    to,
    cc,
    bcc,
    reply_to: chance.happens(0.2, "reply", name) ? { address: `${name}.answers@office.example`, name: "Réponses" } : null,
    subject: `${chance.one(SUBJECTS, "subject", name)} ${name}`,
    text: text(chance, name),
    html: chance.happens(0.5, "html", name) ? html(chance, name) : undefined,
    attachments: files(chance, name),
    reference: name,
  };
}

function text(chance, name) {
  const length = chance.between(1, 12, "lines", name);
  const lines = Array.from({ length }, (_, at) => chance.one(LINES, "line", name, at));
  return `Message ${name} of the day.\n${lines.join("\n")}\n`;
}

function html(chance, name) {
  const line = chance.one(LINES, "html line", name);
  return `<!doctype html>\n<html><body><p class="a">${name} &amp; ${line}</p>\n<p>é ✓</p></body></html>\n`;
}

function files(chance, name) {
  if (!chance.happens(0.3, "files", name)) return [];
  return Array.from({ length: chance.between(1, 2, "files", name) }, (_, at) => {
    const [filename, content_type] = chance.one(FILES, "file", name, at);
    const size = chance.happens(0.1, "large", name, at) ? 300_000 : chance.between(0, 20_000, "size", name, at);
    return { filename, content_type, content: chance.bytes(size, "content", name, at).toString("base64") };
  });
}

/** Every address of a message, by kind: to, cc, bcc. */
export function recipients({ body }) {
  const address = (one) => (typeof one === "string" ? one : one.address);
  return ["to", "cc", "bcc"].flatMap((kind) => body[kind].map((one) => ({ kind, address: address(one) })));
}
