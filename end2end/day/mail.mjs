// Parses a message like a mail program: headers (RFC 5322, 2047, 2231), bodies and files (RFC 2045, 2046).

/** `{ headers: [[name, value]…], header(name), type, parts, body }`; values are unfolded, `body` is bytes. */
export function read(raw) {
  const text = raw.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const [head, rest] = end < 0 ? [text, ""] : [text.slice(0, end + 2), text.slice(end + 4)];
  const headers = head
    .replace(/\r\n(?=[ \t])/g, "")
    .split("\r\n")
    .filter(Boolean)
    .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);
  const header = (name) => headers.find(([known]) => known === name)?.[1];
  const type = parameters(header("content-type") ?? "text/plain");
  const encoding = (header("content-transfer-encoding") ?? "7bit").toLowerCase();
  const parts = type.value.startsWith("multipart/") ? split(rest, type.boundary) : [];
  return { headers, header, type, parts, body: decode(rest, encoding), head };
}

function split(text, boundary) {
  const lines = `\r\n${text}`.split(`\r\n--${boundary}`);
  const end = lines.findIndex((part) => part.startsWith("--"));
  return lines.slice(1, end).map((part) => read(Buffer.from(part.replace(/^[ \t]*\r\n/, ""), "latin1")));
}

function decode(text, encoding) {
  if (encoding === "base64") return Buffer.from(text, "base64");
  if (encoding === "quoted-printable") return Buffer.from(unquote(text.replace(/[ \t]*=\r\n/g, (end) => end.slice(0, -3))), "latin1");
  return Buffer.from(text, "latin1");
}

const unquote = (text) => text.replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

/** A header with parameters: `{ value, name: value… }`, continuations and charsets put together (RFC 2231). */
export function parameters(header) {
  const [, value, rest] = /^([^;]*)(.*)$/s.exec(header);
  const found = { value: value.trim().toLowerCase() };
  const pieces = {};
  for (const [, name, quoted, bare] of rest.matchAll(/;\s*([^=;\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g)) {
    const given = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    const [, plain, number = "0", encoded] = /^([^*]+)(?:\*(\d+))?(\*)?$/.exec(name.toLowerCase());
    (pieces[plain] ??= [])[Number(number)] = { given, encoded: Boolean(encoded) };
  }
  for (const [name, all] of Object.entries(pieces)) {
    const extended = all.some(({ encoded }) => encoded);
    const text = all.map(({ given, encoded }) => (encoded ? unescape8(given) : given)).join("");
    found[name] = extended ? Buffer.from(text.replace(/^[^']*'[^']*'/, ""), "latin1").toString("utf8") : words(text);
  }
  return found;
}

const unescape8 = (text) => text.replace(/%([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

/** Encoded words as text (RFC 2047); white space between two of them does not count. */
export function words(text) {
  const word = /=\?([^?*]+)(?:\*[^?]*)?\?([BQ])\?([^?]*)\?=/gi;
  return text.replace(/(\?=)\s+(?==\?)/g, "$1").replace(word, (_, charset, encoding, content) => {
    const bytes =
      encoding.toUpperCase() === "B" ? Buffer.from(content, "base64") : Buffer.from(unquote(content.replaceAll("_", " ")), "latin1");
    return new TextDecoder(charset).decode(bytes);
  });
}

/** The addresses of a header: `{ address, name }`. */
export function addresses(header = "") {
  const found = [];
  // A quoted name may contain commas and angle brackets; an encoded word may not.
  for (const [one] of header.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)) {
    const [, name, address] = /^\s*(.*?)\s*<([^>]*)>\s*$/s.exec(one) ?? [null, "", one.trim()];
    const plain = name.startsWith('"') ? name.slice(1, -1).replace(/\\(.)/g, "$1") : name;
    found.push({ address, name: words(plain) });
  }
  return found;
}

/** The text of a part, with line ends of one kind. */
export function textOf(part) {
  return new TextDecoder(part.type.charset ?? "utf-8").decode(part.body).replaceAll("\r\n", "\n");
}

/** Every part that is not a container, in order. */
export function leaves(message) {
  return message.parts.length ? message.parts.flatMap(leaves) : [message];
}

/** The name of a file; undefined for a part that is not an attachment. */
export function filename(part) {
  const disposition = parameters(part.header("content-disposition") ?? "inline");
  return disposition.value === "attachment" ? (disposition.filename ?? part.type.name ?? "") : undefined;
}
