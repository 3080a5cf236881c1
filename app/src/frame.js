// Browser side, in a frame only. Tells the portal's page (packages/embed/embed.js) what happened here, and does the few
// things it asks for. Classic and not deferred: `currentScript` carries what the server knows, and the page is dressed
// before it is painted. Every byte counts: `make weight`.
//
// Trust: a hello goes to the registered origins of the portal only; the port is taken from the page right above us, if
// its origin is one of them. Whatever else arrives is dropped.
{
  const { origins, visit, seconds } = document.currentScript.dataset;
  const page = document.documentElement;
  const known = origins.split(" ");
  // Set once what this entry of the history had to tell is told: reloading and going back tell nothing again.
  const told = history.state;
  let port;
  const tell = (type, detail) => port.postMessage({ facteur: 1, type, ...detail });
  // Where storage is refused the page is dressed a moment later, by the message.
  const dress = (scheme) => {
    try {
      scheme ??= sessionStorage.scheme;
      if (/^(light|dark|system)$/.test(scheme)) page.dataset.theme = scheme, (sessionStorage.scheme = scheme);
    } catch {}
  };
  const look = () => {
    for (const place of document.querySelectorAll("[data-event]")) {
      place.remove();
      const { event, live } = place.dataset;
      const { type, ...detail } = JSON.parse(event);
      if (live || !told) tell(type, detail);
      if (!live) history.replaceState(1, "");
    }
    for (const button of document.querySelectorAll("[data-tab]")) {
      button.hidden = false;
      button.onclick = () => tell("tab");
    }
  };
  onmessage = ({ source, origin, data, ports }) => {
    if (port || source != parent || !known.includes(origin) || data?.facteur != 1 || data.type != "port") return;
    port = ports[0];
    port.onmessage = async ({ data }) => {
      if (data?.facteur != 1) return;
      const { type, scheme, token } = data;
      if (type == "theme") dress(scheme);
      // A fresh token, so that the session goes on.
      if (type == "token") {
        const { status, headers } = await fetch("/session/renew", { method: "POST", body: new URLSearchParams({ token }) });
        if (status < 500) tell("visit", { visit: status == 204 ? visit : "ended", seconds: headers.get("session-seconds") });
      }
    };
    tell("visit", { visit, seconds });
    new ResizeObserver(() => tell("resize", { height: page.offsetHeight })).observe(page);
    new MutationObserver(look).observe(page, { childList: true, subtree: true });
    look();
  };
  dress();
  if (parent != self)
    for (const origin of known)
      if ((location.ancestorOrigins?.[0] ?? origin) == origin) parent.postMessage({ facteur: 1, type: "hello" }, origin);
}
