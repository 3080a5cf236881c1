// One SMTP conversation on the server's side: a table maps commands to answers. An answer is a text, or a function of
// the socket, the command and the next lines that returns one after some time, or never. The next command is read only
// after the previous answer was sent, as in a real server.
import { pause } from "../processes.mjs";

export const NEVER = () => new Promise(() => {});
export const late = (ms, text) => async () => {
  await pause(ms);
  return text;
};

/** The answers of a working server. */
export const WELL = {
  banner: "220 mail.example ready\r\n",
  EHLO: "250-mail.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
  HELO: "250 mail.example\r\n",
  STARTTLS: "502 5.5.1 not here\r\n",
  AUTH: "235 2.7.0 welcome\r\n",
  MAIL: "250 2.1.0 ok\r\n",
  RCPT: "250 2.1.5 ok\r\n",
  DATA: "354 go on\r\n",
  end: "250 2.0.0 taken\r\n",
  RSET: "250 2.0.0 ok\r\n",
  NOOP: "250 2.0.0 ok\r\n",
  QUIT: "221 2.0.0 bye\r\n",
};

/** Lines of a socket, one after another; `null` at its end. */
function lines(socket) {
  const ready = [];
  let rest = "";
  let ended = false;
  let wake = () => {};
  socket.setEncoding("latin1").on("data", (text) => {
    const parts = (rest + text).split("\r\n");
    rest = parts.pop();
    ready.push(...parts);
    wake();
  });
  for (const event of ["end", "error", "close"])
    socket.on(event, () => {
      ended = true;
      wake();
    });
  return async () => {
    while (ready.length === 0 && !ended) await new Promise((done) => (wake = done));
    return ready.length > 0 ? ready.shift() : null;
  };
}

/** Runs the conversation. `arrived` is called with the lines of each complete message. */
export async function converse(socket, answers, arrived = () => {}) {
  const next = lines(socket);
  const answer = async (what, line) => {
    const given = answers[what] ?? WELL[what] ?? "500 5.5.1 what?\r\n";
    const text = typeof given === "function" ? await given(socket, line, next) : given;
    if (socket.writable) socket.write(text);
    return text;
  };
  await answer("banner");
  for (let line = await next(); line !== null; line = await next()) {
    const verb = line.split(" ", 1)[0].toUpperCase();
    const said = await answer(verb, line);
    if (verb === "QUIT") return socket.end();
    if (verb !== "DATA" || !said.startsWith("354")) continue;
    const message = [];
    for (line = await next(); line !== null && line !== "."; line = await next()) message.push(line);
    if (line === null) return;
    arrived(message);
    await answer("end");
  }
}
