// Without a framework, typed.
import "@facteur/embed";

const element = document.querySelector("smtp-configurator")!;
element.fetchToken = async () => (await fetch("/facteur-token", { method: "POST" })).text();
element.addEventListener("test-failed", ({ detail }) => console.log(detail.id, detail.cause));
element.addEventListener("error", ({ detail }) => detail.code === "unreachable" && setTimeout(() => element.reload(), 60_000));
