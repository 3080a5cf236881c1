// The program's own behaviour over the day: it does not panic or exit by itself, and its log contains no secret.

export function program(ledger, facteur, messages, accounts, portals) {
  ledger.look("the program ends only on a signal, and cleanly", facteur.faults);
  const words = facteur.words();
  const panics = words.split("\n").filter((line) => /panicked|RUST_BACKTRACE/.test(line));
  ledger.look("it does not panic", panics);
  const secrets = [
    ...accounts.flatMap(({ login, secret }) => (login ? [secret, base64(secret), base64(`\0${login}\0${secret}`)] : [])),
    ...Object.values(portals).flatMap(({ apiKey, secret }) => [apiKey, secret]),
  ];
  ledger.look("no secret is in its log", secrets.filter((secret) => words.includes(secret)).map((secret) => `${secret} is`));
  const told = messages.filter(({ name }) => new RegExp(`\\b${name}\\.(a|b|c|hidden)@|${name} of the day`).test(words));
  ledger.look("no customer's address or text is in its log", told.map(({ name }) => `something of ${name} is`));
}

const base64 = (text) => Buffer.from(text).toString("base64");
