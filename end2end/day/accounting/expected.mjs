// What may come of a message at each kind of server.

const NETWORK = ["connection_lost", "timeout"];

/** Causes of a message, or of a recipient, that failed. Nothing may fail where there is none. */
const causes = {
  flaky: ["server_busy", ...NETWORK],
  picky: ["recipient_rejected"],
  locked: ["bad_credentials"],
  hostile: ["not_submission_server", "protocol_error", "reply_too_large", ...NETWORK],
};

/** Whether a recipient has to be refused, and none but those. */
const refuses = {
  picky: (address) => address.split("@")[0].endsWith(".refused"),
  locked: () => true,
};

export const causesOf = ({ kind }) => causes[kind] ?? [];

/** Whether this recipient fails for certain, does not, or may (`undefined`). */
export function fails({ kind }, address) {
  if (refuses[kind]) return refuses[kind](address);
  return causes[kind] ? undefined : false;
}
