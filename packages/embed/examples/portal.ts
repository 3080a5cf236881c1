// Without a framework, typed.
import { configure } from "@facteur/embed";

configure({ src: "https://facteur.example/" });
const element = document.querySelector("smtp-configurator")!;
element.fetchToken = async (wanted) =>
  (await fetch("/facteur-token", { method: "POST", body: new URLSearchParams(wanted) })).text();
element.addEventListener("test-failed", ({ detail }) => console.log(detail.id, detail.cause));
element.addEventListener("error", ({ detail }) => detail.code === "unreachable" && setTimeout(() => element.reload(), 60_000));
