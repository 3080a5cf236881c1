// Checks that each server received what was posted.
import { addresses, filename, leaves, read, textOf, words } from "../mail.mjs";
import { where } from "./copies.mjs";

const ONCE = ["from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"];

export function contents(ledger, messages) {
  for (const message of messages) {
    for (const copy of message.copies ?? []) {
      const problems = [];
      try {
        compare(message, copy, (what, good, found) => {
          if (!good) problems.push(`${where(message)}: ${what}: ${JSON.stringify(found)?.slice(0, 300)}`);
        });
      } catch (error) {
        problems.push(`${where(message)}: it does not read: ${error.message}`);
      }
      ledger.look("a message arrives as posted, from the profile's sender, without Bcc", problems);
    }
  }
}

function compare({ body, account, seen }, copy, check) {
  const { sender } = account;
  check("the envelope's sender", copy.from === sender.address, copy.from);
  const mail = read(copy.raw);
  for (const name of ONCE) {
    const times = mail.headers.filter(([known]) => known === name).length;
    const wanted = name === "cc" ? Number(body.cc.length > 0) : name === "reply-to" ? Number(body.reply_to !== null) : 1;
    check(`${times} of ${name}`, times === wanted, mail.head);
  }
  const [from] = addresses(mail.header("from"));
  check("From", from?.address === sender.address && from.name === sender.name, mail.header("from"));
  check("Message-ID", mail.header("message-id") === `<${seen.message_id}>`, mail.header("message-id"));
  check("Date", Math.abs(Date.parse(mail.header("date")) - copy.dotAt) < 120_000, mail.header("date"));
  for (const kind of ["to", "cc"]) {
    const shown = addresses(mail.header(kind));
    check(kind, same(shown, body[kind]), mail.header(kind));
  }
  if (body.reply_to) check("Reply-To", same(addresses(mail.header("reply-to")), [body.reply_to]), mail.header("reply-to"));
  const hidden = body.bcc.map((one) => one.address ?? one).filter((address) => mail.head.includes(address));
  check("Bcc", hidden.length === 0 && !mail.header("bcc"), mail.head);
  check("Subject", words(mail.header("subject") ?? "") === body.subject, mail.header("subject"));
  check("line ends", !/\r(?!\n)|(?<!\r)\n/.test(copy.raw.toString("latin1")), "a lonely CR or LF");
  const longest = Math.max(...copy.raw.toString("latin1").split("\r\n").map(({ length }) => length));
  check("no line over 998 bytes", longest <= 998, longest);
  parts(body, mail, check);
}

function same(found, given) {
  const wanted = given.map((one) => (typeof one === "string" ? { address: one, name: "" } : { name: "", ...one }));
  const plain = (people) => JSON.stringify(people.map(({ address, name }) => [address, name]));
  return plain(found) === plain(wanted);
}

function parts(body, mail, check) {
  const all = leaves(mail);
  const texts = all.filter((part) => filename(part) === undefined);
  const files = all.filter((part) => filename(part) !== undefined);
  // The last line end belongs to the transport.
  const end = (text) => text.replace(/\n+$/, "");
  const found = (type) => texts.filter((part) => part.type.value === type).map(textOf);
  const [text, html] = [found("text/plain"), found("text/html")];
  check("text", text.length === 1 && end(text[0]) === end(body.text), text);
  const wanted = body.html === undefined ? 0 : 1;
  check("html", html.length === wanted && (!wanted || end(html[0]) === end(body.html)), html);
  check("as many files", files.length === body.attachments.length, files.map(filename));
  for (const [at, { filename: name, content_type, content }] of body.attachments.entries()) {
    const file = files[at];
    if (!file) continue;
    check("a file's name", filename(file) === name, filename(file));
    check("a file's type", file.type.value === content_type, file.type);
    check("a file's content", file.body.equals(Buffer.from(content, "base64")), `${file.body.length} bytes`);
  }
}
