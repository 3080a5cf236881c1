// A mail server in a separate process: it accepts everything at once, and reports when each message arrived. Started
// with fork; sends its port, then [recipient, time] of every message. The clock is the machine's monotonic one, which
// all processes share.
import { createServer } from "node:net";

const clock = () => Number(process.hrtime.bigint()) / 1e6;
let came = [];
let timer = null;

function tell() {
  timer = null;
  process.send({ came });
  came = [];
}

/** Splits a stream of bytes into lines and messages, and replies to each. */
function conversation(socket) {
  let [text, to, inData] = ["", "", false];
  const commands = {
    EHLO: "250-sink.example\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
    AUTH: "235 2.7.0 ok\r\n",
    DATA: "354 go on\r\n",
    QUIT: "221 bye\r\n",
  };
  socket.setEncoding("latin1").on("data", (part) => {
    text += part;
    let replies = "";
    for (;;) {
      if (inData) {
        const end = text.indexOf("\r\n.\r\n");
        if (end === -1) break;
        text = text.slice(end + 5);
        inData = false;
        came.push([to, clock()]);
        timer ??= setTimeout(tell, 20);
        replies += "250 2.0.0 taken\r\n";
        continue;
      }
      const end = text.indexOf("\r\n");
      if (end === -1) break;
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      const command = line.slice(0, 4).toUpperCase();
      if (command === "RCPT") to = /<([^>]*)>/.exec(line)?.[1] ?? "";
      inData = command === "DATA";
      if (inData) text = `\r\n${text}`; // a message may be empty
      replies += commands[command] ?? "250 ok\r\n";
    }
    if (replies !== "") socket.write(replies);
  });
  socket.on("error", () => socket.destroy());
  socket.write("220 sink.example\r\n");
}

const server = createServer({ noDelay: true }, conversation);
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.on("disconnect", () => process.exit());
