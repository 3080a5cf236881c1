// Browser side, in a frame only. Tells the portal's page (packages/embed/embed.js) what happened here, and does the few
// things it asks for. Classic: `currentScript` carries what the server knows. How the page looks is the server's to say,
// which reads what is asked for and answers with values only. Every byte counts: `make weight`.
//
// Trust: a hello goes to the registered origins of the portal only; the port is taken from the page right above us, if
// its origin is one of them. Whatever else arrives is dropped.
{
  const { origins, visit, seconds, place } = document.currentScript.dataset;
  const page = document.documentElement;
  const known = origins.split(" ");
  // Set once what this entry of the history had to tell is told: reloading and going back tell nothing again.
  const told = history.state;
  let port;
  const tell = (type, detail) => port.postMessage({ facteur: 1, type, ...detail });
  const ask = (path, body, headers) => fetch(place + "/session/" + path, { method: "POST", body, headers });
  const look = () => {
    for (const notice of document.querySelectorAll("[data-event]")) {
      notice.remove();
      const { event, live } = notice.dataset;
      const { type, ...detail } = JSON.parse(event);
      if (live || !told) tell(type, detail);
      if (!live) history.replaceState(1, "");
    }
  };
  onmessage = ({ source, origin, data, ports }) => {
    if (port || source != parent || !known.includes(origin) || data?.facteur != 1 || data.type != "port") return;
    [port] = ports;
    port.onmessage = async ({ data }) => {
      // The other end speaks this version.
      const { theme, token, again, fields } = data;
      if (theme) {
        const answer = await ask("theme", JSON.stringify(theme), { "content-type": "application/json" });
        if (!answer.ok) return;
        const { scheme, variables } = await answer.json();
        page.dataset.theme = scheme;
        page.style = "";
        for (const name in variables) page.style.setProperty(name, variables[name]);
      }
      // A fresh token, so that the session goes on; or another begins, and the page goes on where it was.
      if (token || again) {
        const whose = document.querySelector("[name=whose]")?.value ?? "";
        const { status, headers } = await ask(again ? "again" : "renew", new URLSearchParams({ ...data, ...again, whose }));
        const good = status == 204;
        if (good && again) {
          const form = document.querySelector("[data-resume]");
          if (form) return form.submit();
          if (visit != "open") return location.reload();
          for (const said of document.querySelectorAll("[data-renewed]")) said.textContent = said.dataset.renewed;
        }
        if (status < 500) tell("visit", { visit: good ? visit : again || status == 409 ? "lost" : "ended", seconds: headers.get("session-seconds") });
      }
      // What the form `tab` posts, which stands where the cookie was refused.
      for (const name in fields) {
        tab[name].value = fields[name];
        tab.hidden = false;
      }
    };
    tell("visit", { visit, seconds });
    // The form has what it posts before it is pressed, and something fresh afterwards. Elsewhere nobody answers.
    (onsubmit = () => setTimeout(tell, 0, "tab"))();
    new ResizeObserver(() => tell("resize", { height: page.offsetHeight })).observe(page);
    new MutationObserver(look).observe(page, { childList: true, subtree: true });
    look();
  };
  if (parent != self)
    for (const origin of known)
      if ((location.ancestorOrigins?.[0] ?? origin) == origin) parent.postMessage({ facteur: 1, type: "hello" }, origin);
}
