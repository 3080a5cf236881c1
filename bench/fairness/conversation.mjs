// One SMTP conversation, seen from the server: a table says what is answered to what. An answer is a text, or a function
// that gives one in its own time, or never, from the socket, the command and the next lines. Nothing is read before the previous answer has left, as in a real server.
import { pause } from "../processes.mjs";

export const NEVER = () => new Promise(() => {});
export const late = (ms, text) => async () => {
  await pause(ms);
  return text;
};

/** What a server that works answers. */
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

/** Has the conversation. `arrived` is called with the lines of each message when its end has come. */
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
