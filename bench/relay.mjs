// Postfix as a durable relay: its own queue on the same disk, and its SMTP client with cached connections to the same
// sink. It runs from its unpacked package with a separate configuration. It needs root, because it changes to other
// users.
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, env, root } from "./postfix.mjs";
import { freePort, pause, start } from "./processes.mjs";

const getent = (kind, name) => {
  try {
    return Number(execFileSync("getent", [kind, name], { encoding: "utf8" }).split(":")[2]);
  } catch {
    return undefined;
  }
};

/** Postfix's own user or group if its package is installed; otherwise one that every Debian has and that is unused. */
function account(kind, own, other) {
  const name = getent(kind, own) === undefined ? other : own;
  return { name, id: getent(kind, name) };
}

/** Starts it and returns its port. It sends everything to `sink`. */
export async function relay(folder, sink, connections) {
  const owner = account("passwd", "postfix", "daemon");
  const group = account("group", "postdrop", "mail");
  const at = (...path) => join(folder, ...path);
  const make = (path, mode, own = true) => {
    mkdirSync(path, { recursive: true, mode });
    if (own) chownSync(path, owner.id, mode === 0o700 ? 0 : group.id);
  };
  for (const part of ["", "conf", "queue", "queue/pid"]) make(at(part), 0o755, false);
  make(at("data"), 0o700);
  const queues = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"];
  for (const part of queues) make(at("queue", part), 0o700);
  make(at("queue/maildrop"), 0o730);
  make(at("queue/public"), 0o710);
  const port = await freePort();
  const daemons = ["/usr/lib/postfix/sbin", "/usr/libexec/postfix"].map((path) => root + path).find(existsSync);
  writeFileSync(
    at("conf/main.cf"),
    `compatibility_level = 3.6
queue_directory = ${at("queue")}
data_directory = ${at("data")}
command_directory = ${root}/usr/sbin
daemon_directory = ${daemons}
shlib_directory = ${root}/usr/lib/postfix
meta_directory = ${root}/usr/lib/postfix
mail_owner = ${owner.name}
setgid_group = ${group.name}
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH=${env.LD_LIBRARY_PATH ?? ""}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
local_transport = error:none
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:${sink}
smtp_connection_cache_destinations = 127.0.0.1
initial_destination_concurrency = ${connections}
default_destination_concurrency_limit = ${connections}
maillog_file = ${at("log")}
maillog_file_prefixes = ${folder}
alias_maps =
alias_database =
`,
  );
  const services = [
    `${port} inet n - n - - smtpd`,
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "pickup unix n - n 60 1 pickup",
    "postlog unix-dgram n - n - 1 postlogd",
    `smtp unix - - n - ${connections} smtp`,
    "rewrite unix - - n - - trivial-rewrite",
    ...["bounce", "defer", "trace"].map((name) => `${name} unix - - n - 0 bounce`),
    ...["error", "retry"].map((name) => `${name} unix - - n - - error`),
    ...["anvil", "scache"].map((name) => `${name} unix - - n - 1 ${name}`),
    "proxymap unix - - n - - proxymap",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    "flush unix n - n 1000? 0 flush",
  ];
  writeFileSync(at("conf/master.cf"), services.join("\n") + "\n");
  const master = `${daemons}/master`;
  const child = start(master, ["-c", at("conf"), "-d"], { env: { ...env, MAIL_CONFIG: at("conf") } });
  for (let tries = 0; tries < 200; tries++) {
    if (await answers(port)) return { port, child };
    await pause(50);
  }
  throw new Error(`Postfix does not answer: ${child.said}`);
}
