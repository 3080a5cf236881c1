// The message that all candidates send: 2 kB of plain ASCII text, so that no encoding makes it longer.

const LINE = "The quick brown fox jumps over the lazy dog, and bills it by the hour.\n";
export const TEXT = LINE.repeat(29); // 2,059 bytes

/** The portal's request, without the account. */
export const message = (i) => ({
  to: [`customer-${i}@bench.example`],
  subject: `Quotation ${String(i).padStart(6, "0")}`,
  text: TEXT,
});

/** For smtp-source, which composes nothing: with the header lines that the others write, and LF line ends. */
export const composed = () =>
  [
    'From: "Demo" <no-reply@bench.example>',
    "To: customer-000@bench.example",
    "Subject: Quotation 000000",
    "Message-ID: <01234567-89ab-7cde-8f01-23456789abcd@bench.example>",
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 7bit",
    "",
    TEXT,
  ].join("\n");
