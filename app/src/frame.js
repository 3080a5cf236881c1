// Browser side, in a frame only. Reports to the portal's page (packages/embed/embed.js) and carries out its requests. A
// classic script, because the server passes data through `currentScript`. The server validates a requested theme and
// answers with CSS values. `make weight` limits its size.
//
// Trust: the hello is posted to the portal's registered origins only. The port is accepted from the direct parent only,
// if its origin is one of them. Everything else is dropped.
{
  const { origins, visit, seconds, base } = document.currentScript.dataset;
  const page = document.documentElement;
  const known = origins.split(" ");
  // Set once this history entry's events are posted: reloading and going back do not repeat them.
  const told = history.state;
  let port;
  const tell = (type, detail) => port.postMessage({ facteur: 1, type, ...detail });
  const ask = (path, body, headers) => fetch(base + "/session/" + path, { method: "POST", body, headers });
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
      // The element has the same version.
      const { theme, token, again, fields } = data;
      if (theme) {
        const answer = await ask("theme", JSON.stringify(theme), { "content-type": "application/json" });
        if (!answer.ok) return;
        const { scheme, variables } = await answer.json();
        page.dataset.theme = scheme;
        page.style = "";
        for (const name in variables) page.style.setProperty(name, variables[name]);
      }
      // A fresh token: renews the session, or opens another one for the same page.
      if (token || again) {
        const form_owner = document.querySelector("[name=form_owner]")?.value ?? "";
        const { status, headers } = await ask(again ? "again" : "renew", new URLSearchParams({ ...data, ...again, form_owner }));
        const good = status == 204;
        if (good && again) {
          const form = document.querySelector("[data-resume]");
          if (form) return form.submit();
          if (visit != "open") return location.reload();
          for (const said of document.querySelectorAll("[data-renewed]")) said.textContent = said.dataset.renewed;
        }
        if (status < 500) tell("visit", { visit: good ? visit : again || status == 409 ? "lost" : "ended", seconds: headers.get("session-seconds") });
      }
      // The fields of the form `tab`, which is there when the cookie was refused.
      for (const name in fields) {
        tab[name].value = fields[name];
        tab.hidden = false;
      }
    };
    tell("visit", { visit, seconds });
    // The form gets its fields before it is submitted, and fresh ones afterwards. Other pages get no answer.
    (onsubmit = () => setTimeout(tell, 0, "tab"))();
    // The element rounds up. `offsetHeight` may round down, and the frame would scroll by the rest.
    const resize = () => tell("resize", { height: page.getBoundingClientRect().height });
    // A frame is as tall as its content: only the portal's page can scroll to a part of it.
    addEventListener("reveal", ({ target }) => {
      const { top, bottom } = target.getBoundingClientRect();
      resize();
      tell("reveal", { top: top + scrollY, bottom: bottom + scrollY });
    }, true);
    new ResizeObserver(resize).observe(page);
    new MutationObserver(look).observe(page, { childList: true, subtree: true });
    look();
  };
  if (parent != self)
    for (const origin of known)
      if ((location.ancestorOrigins?.[0] ?? origin) == origin) parent.postMessage({ facteur: 1, type: "hello" }, origin);
}
