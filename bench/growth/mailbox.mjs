// The sink, as the measurements use it: when each recipient's message arrived. Each recipient has one message.
import { fork } from "node:child_process";
import { once } from "node:events";
import { now, pause } from "../processes.mjs";

export const clock = () => Number(process.hrtime.bigint()) / 1e6;

export class Mailbox {
  #at = new Map(); // by recipient

  static async start() {
    const mailbox = new Mailbox();
    mailbox.child = fork(new URL("sink.mjs", import.meta.url));
    mailbox.port = (await once(mailbox.child, "message"))[0].port;
    mailbox.child.on("message", ({ came }) => {
      for (const [to, at] of came) mailbox.#at.set(to, at);
    });
    return mailbox;
  }

  /** Waits until these recipients have their messages, and removes them; returns when each arrived. */
  async have(recipients, seconds = 30) {
    const end = now() + seconds * 1000;
    for (let waiting = recipients; waiting.length > 0; waiting = waiting.filter((to) => !this.#at.has(to))) {
      if (now() > end)
        throw new Error(`${waiting.length} of ${recipients.length} messages did not come in ${seconds} s`);
      await pause(5);
    }
    const came = recipients.map((to) => this.#at.get(to));
    for (const to of recipients) this.#at.delete(to);
    return came;
  }

  hold = () => this.child.kill("SIGSTOP");

  release = () => this.child.kill("SIGCONT");

  stop() {
    this.child.kill("SIGCONT");
    this.child.disconnect();
  }
}
