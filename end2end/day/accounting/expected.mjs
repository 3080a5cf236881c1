// The possible outcomes of a message at each kind of server.

const NETWORK = ["connection_lost", "timeout"];

/** The permitted causes of a failed message or recipient. Without one, no failure is permitted. */
const causes = {
  flaky: ["server_busy", ...NETWORK],
  picky: ["recipient_rejected"],
  locked: ["bad_credentials"],
  hostile: ["not_submission_server", "protocol_error", "reply_too_large", ...NETWORK],
};

/** Which recipients must be refused; all others must not be. */
const refuses = {
  picky: (address) => address.split("@")[0].endsWith(".refused"),
  locked: () => true,
};

export const causesOf = ({ kind }) => causes[kind] ?? [];

/** Whether this recipient must fail, must not, or may (`undefined`). */
export function fails({ kind }, address) {
  if (refuses[kind]) return refuses[kind](address);
  return causes[kind] ? undefined : false;
}
