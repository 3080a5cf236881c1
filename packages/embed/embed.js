// <smtp-configurator>: Facteur inside a portal's page. No dependencies. Loading it twice, or without a DOM, is
// harmless.
//
//   <script src="https://facteur.example/embed.js" async></script>
//   <smtp-configurator token-url="/facteur-token" locale="fr">Chargement…</smtp-configurator>
//
// It requests a token from the portal, posts it into a frame, and talks to the frame through a MessagePort. The other
// half is app/src/frame.js. Trust: a hello is accepted only from our own frame and Facteur's origin, and the port is
// sent to that origin only. Messages from the port are validated: known names, short codes, numbers in range.
//
// Facteur's address decides who gets the token, so the page is never searched for it. It comes from the attribute
// `src`, from `configure`, or from the server: Facteur writes its address into `SERVED_BY` of each copy that it serves.
// Such a copy keeps the address wherever it is bundled or hosted. This file itself, as published on npm, has none.
//
// The page's markup is not trusted: an element's name can shadow a property of `document` (DOM clobbering), and
// `<base>` changes relative URLs. So no address is read from `document`, and relative ones are resolved against the
// page's URL.
//
// To add an event: its name in EVENTS (and in index.d.ts), a variant in app/src/ui/event.rs.
(() => {
  if (!globalThis.customElements || customElements.get("smtp-configurator")) return;

  const VERSION = 1;
  const EVENTS = ["profile-saved", "profile-deleted", "test-succeeded", "test-failed", "mode-changed"];
  const SCHEMES = ["light", "dark", "system"];
  const DETAIL = ["id", "cause", "mode"];
  const CODE = /^[\w-]{1,64}$/;
  const TEXTS = {
    fr: {
      title: "Configuration de l’envoi des e-mails",
      loading: "Chargement…",
      failed: "Le configurateur ne répond pas pour le moment.",
      retry: "Réessayer",
    },
    en: {
      title: "How emails are sent: settings",
      loading: "Loading…",
      failed: "The configurator is not answering at the moment.",
      retry: "Try again",
    },
  };
  const STYLE = `
    :host { display: block; position: relative }
    :host([hidden]), [hidden] { display: none }
    iframe { display: block; width: 100%; height: 0; border: 0; visibility: hidden }
    iframe.open { visibility: visible }
    i { position: absolute; left: 0; width: 1px; visibility: hidden; scroll-margin: 1rem }
    slot > * { margin: 1rem }
    button { font: inherit; padding: .5rem 1rem }
    p + button { margin-top: 0 }
  `;
  const ATTRIBUTES = ["src", "page", "locale", "theme", "token-url"];
  /** The address of the Facteur that serves this copy; empty in the npm package. */
  const SERVED_BY = "";
  const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
  /** How long a loaded frame may take to say hello. */
  const SILENCE_MS = 5_000;
  /** The share of a session's time after which it is renewed. */
  const RENEW_AT = 0.8;
  /** The share of its lifetime after which the token of the offered tab is replaced. */
  const REPLACE_AT = 0.6;
  const TALLEST = 20_000;

  /** Facteur's address, unless an element has its own. */
  let home = SERVED_BY;
  /** Elements without Facteur's address. */
  const waiting = new Set();
  // Openings run one after another: the frames of a page share one cookie, and each opening replaces the session.
  let turn = Promise.resolve();

  const make = (name, properties = {}, ...children) => {
    // From the prototype: an element named `createElement` would shadow the method.
    const element = Object.assign(Document.prototype.createElement.call(document, name), properties);
    element.append(...children);
    return element;
  };

  /** An error with the code for the event `error`. */
  const failure = (code) => Object.assign(new Error(`smtp-configurator: ${code}`), { code });

  /**
   * Facteur's address with a trailing slash: https, or http on this machine. Resolved against the page's URL, not against
   * `<base>`.
   */
  const place = (source) => {
    let base;
    try {
      base = new URL(source, location.href);
    } catch {
      throw failure("src-invalid");
    }
    const { protocol, hostname, username, password } = base;
    const secure = protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
    if (!secure || username || password) throw failure("src-invalid");
    base.search = base.hash = "";
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    return base;
  };

  const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

  /** A token's claims; empty if they cannot be decoded: Facteur will refuse that token. */
  const claims = (token) => {
    try {
      return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))) ?? {};
    } catch {
      return {};
    }
  };

  /** A random verifier and its hash for the token: a copied token alone opens nothing (RFC 7636, S256). */
  const proof = async () => {
    const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
    // `crypto.subtle` exists only in secure contexts.
    const hash = await crypto.subtle?.digest("SHA-256", new TextEncoder().encode(verifier));
    return { verifier, challenge: hash && base64url(new Uint8Array(hash)) };
  };

  class SmtpConfigurator extends HTMLElement {
    static observedAttributes = ATTRIBUTES;

    /** Facteur's address for every element without `src`; for pages that bundle this file. */
    static configure({ src }) {
      home = src;
      for (const element of waiting) element.#plan();
    }

    #frame;
    /** Facteur's origin when the frame was created. */
    #base;
    #parts = {};
    #port;
    #fetchToken;
    #variables;
    /** The theme that the frame's session has. */
    #worn = "";
    /** Number of openings: results of an earlier one are dropped. */
    #round = 0;
    /**
     * `idle`, `opening`, `open`, `failed`, `renewing` (the session has ended) or `outside` (the browser refuses the
     * cookie).
     */
    #state = "idle";
    /** Lets the next opening of the page begin. */
    #settle = () => {};
    #timers = {};
    #planned = false;
    /** Whether the frame's current document has said hello. */
    #greeted = false;
    /** When the session ends, by this machine's clock. */
    #ends = 0;
    /** The port that was sent a token for a new session, and the number of consecutive attempts. */
    #handed;
    #tries = 0;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open", delegatesFocus: true });
      if (root.adoptedStyleSheets && globalThis.CSSStyleSheet?.prototype.replaceSync) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      } else {
        root.append(make("style", { textContent: STYLE }));
      }
      const loading = make("div", {}, make("slot"));
      const failed = make("div", { hidden: true }, make("slot", { name: "retry" }));
      loading.setAttribute("role", "status");
      failed.setAttribute("role", "alert");
      // Any button in the slot tries again.
      failed.addEventListener("click", (event) => {
        if (event.composedPath().some((element) => element.localName === "button")) this.reload();
      });
      this.#parts = { loading, failed };
      root.append(loading, failed);
    }

    /** `({ audience, challenge }) => Promise<string>`: a fresh token. Takes precedence over `token-url`. */
    get fetchToken() {
      return this.#fetchToken;
    }
    set fetchToken(value) {
      this.#fetchToken = value;
      if (this.#state === "idle" || this.#state === "failed") this.reload();
    }

    /** `{ brand: "#0b57d0", radius: "4px" }`, or `{ light, dark }` for a colour. Invalid values are ignored. */
    get variables() {
      return this.#variables;
    }
    set variables(value) {
      this.#variables = value;
      this.#dress();
    }

    connectedCallback() {
      // Properties that were set before the element was defined.
      for (const name of ["fetchToken", "variables"]) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
      addEventListener("message", this.#heard);
      this.#words();
      this.#plan();
    }

    disconnectedCallback() {
      removeEventListener("message", this.#heard);
      this.#close();
      this.#enter("idle");
    }

    attributeChangedCallback(name, before, after) {
      if (before === after || !this.isConnected) return;
      if (name === "theme") return this.#dress();
      if (name === "locale") this.#words();
      // A new token endpoint matters only after a failure.
      if (name !== "token-url" || this.#state === "idle" || this.#state === "failed") this.#plan();
    }

    /** Opens the configurator again with a fresh token; after an ended session, on the same page. */
    reload() {
      if (this.#state !== "failed" || !this.#frame) return this.#plan();
      this.#tries = 0;
      this.#revive();
    }

    /** Attributes that change together, and properties set right after, cause one opening. */
    #plan() {
      if (this.#planned || !this.isConnected) return;
      if (!this.#fetchToken && !this.getAttribute("token-url")) return;
      this.#planned = true;
      queueMicrotask(() => {
        this.#planned = false;
        if (this.isConnected) this.#open();
      });
    }

    #open() {
      this.#close();
      const round = this.#round;
      this.#enter("opening");
      this.#late(() => this.#fail("unreachable", round));
      turn = turn.then(() => {
        if (round !== this.#round) return;
        const settled = new Promise((settle) => (this.#settle = settle));
        // Do not block the next opening for ever.
        setTimeout(this.#settle, SILENCE_MS);
        this.#post(round).catch((error) => this.#fail(error.code ?? "src-missing", round));
        return settled;
      });
    }

    async #post(round) {
      this.#base = this.#place();
      const grant = await this.#grant();
      if (round !== this.#round) return;
      // An unguessable window name.
      const name = `smtp-configurator-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
      this.#frame = make("iframe", { name, title: this.#texts().title });
      // Grants no permissions: the pages need no camera, clipboard or payment.
      this.#frame.setAttribute("allow", "");
      this.#frame.addEventListener("load", () => this.#loaded(round));
      // A form: the token must not be in a URL.
      const form = make("form", { method: "post", action: new URL("session", this.#base).href, target: name, hidden: true });
      for (const [name, value] of Object.entries({ ...grant, ...this.#wishes() })) {
        form.append(make("input", { type: "hidden", name, value }));
      }
      this.shadowRoot.append(this.#frame, form);
      form.submit();
      form.remove();
    }

    /** Page and language, if the portal's page sets them. */
    #wishes() {
      const wishes = {};
      for (const name of ["page", "locale"]) if (this.hasAttribute(name)) wishes[name] = this.getAttribute(name);
      const theme = this.#theme();
      if (theme) wishes.theme = theme;
      this.#worn = theme;
      return wishes;
    }

    /** Scheme and variables as JSON; empty if the portal's page sets neither. */
    #theme() {
      const scheme = this.getAttribute("theme");
      const theme = {};
      if (SCHEMES.includes(scheme)) theme.scheme = scheme;
      if (this.#variables) theme.variables = this.#variables;
      return Object.keys(theme).length ? JSON.stringify(theme) : "";
    }

    /** Sends a changed theme to the frame, whose session keeps it for the following pages. */
    #dress() {
      const theme = this.#theme();
      if (!this.#port || theme === this.#worn) return;
      this.#worn = theme;
      this.#send("theme", { theme: JSON.parse(theme || '{"scheme":"system"}') });
    }

    #place() {
      const source = this.getAttribute("src") || home;
      if (source) return place(source);
      waiting.add(this);
      throw failure("src-missing");
    }

    /** A fresh token, and the verifier that proves it was issued for this page. */
    async #grant() {
      const { verifier, challenge } = await proof();
      const token = await this.#token({ audience: this.#base.href.slice(0, -1), ...(challenge && { challenge }) });
      // The token must be sent only to its audience.
      const { aud = [] } = claims(token);
      const meant = [aud].flat().filter((name) => /^https?:/i.test(name));
      if (meant.length && !meant.some((name) => `${name}/` === this.#base.href)) throw failure("audience-mismatch");
      return { token, verifier };
    }

    async #token(wanted) {
      try {
        let token;
        if (this.#fetchToken) {
          token = await this.#fetchToken(wanted);
        } else {
          const answer = await fetch(new URL(this.getAttribute("token-url"), location.href), {
            method: "POST",
            credentials: "include",
            headers: { accept: "application/json, text/plain" },
            body: new URLSearchParams(wanted),
          });
          if (!answer.ok) throw answer.status;
          token = (await answer.text()).trim();
          if (token.startsWith("{")) ({ token } = JSON.parse(token));
        }
        if (typeof token !== "string" || !token) throw token;
        return token;
      } catch {
        // Not the caught error: it may contain more than a code.
        throw failure("token-unavailable");
      }
    }

    /** A document of the frame says hello: it gets a port. */
    #heard = ({ source, origin, data }) => {
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#base.origin) return;
      if (data?.facteur !== VERSION || data.type !== "hello") return;
      this.#greeted = true;
      clearTimeout(this.#timers.silence);
      this.#port?.close();
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      port1.onmessage = ({ data }) => {
        if (this.#port === port1 && data?.facteur === VERSION) this.#told(data);
      };
      source.postMessage({ facteur: VERSION, type: "port" }, origin, [port2]);
      this.#dress();
      // Scroll to the top of the new page: the frame is as tall as its content.
      if (this.#state === "open" && this.getBoundingClientRect().top < 0) this.scrollIntoView({ block: "start" });
    };

    /** Handles a message from the frame. Unknown types are ignored. */
    #told(message) {
      const { type } = message;
      if (type === "visit") this.#visited(message.visit, Number(message.seconds));
      else if (type === "resize") this.#resize(message.height);
      else if (type === "reveal") this.#reveal(message.top, message.bottom);
      else if (type === "tab") this.#offer();
      else if (EVENTS.includes(type)) {
        const detail = {};
        for (const name of DETAIL) {
          const value = message[name];
          if (typeof value === "string" && CODE.test(value)) detail[name] = value;
        }
        this.#tell(type, detail);
      }
    }

    /** Handles the frame's report about its session. */
    #visited(visit, seconds) {
      const fresh = this.#state === "opening";
      if (visit === "open") {
        const ready = this.#state !== "open";
        clearTimeout(this.#timers.open);
        this.#settle();
        if (seconds > 0) this.#last(seconds);
        this.#tries = 0;
        this.#enter("open");
        if (ready) this.#tell("ready", {});
      } else if (visit === "refused" && fresh) {
        this.#fail("token-refused", this.#round);
      } else if (fresh) {
        // Opened, but without a session: the browser refused the cookie. The frame offers a tab.
        clearTimeout(this.#timers.open);
        this.#settle();
        this.#enter("outside");
        this.#tell("error", { code: "cookies-refused" });
      } else if (visit === "lost") {
        // The token was refused or for another person: nothing of this page is kept.
        if (this.#state === "open") this.#tell("session-expired", {});
        this.#plan();
      } else if (this.#state === "open") {
        this.#expired();
      } else if (this.#handed && this.#handed !== this.#port) {
        // The frame had moved to another page before the token arrived.
        this.#revive();
      }
    }

    /** The session has this many seconds left. */
    #last(seconds) {
      this.#ends = Date.now() + seconds * 1_000;
      this.#wait();
    }

    #wait() {
      const left = this.#ends - Date.now();
      this.#after("session", () => this.#renew(), Math.min(left * RENEW_AT, 2 ** 31 - 1));
    }

    /** Sends a fresh token to the frame; retries until the session ends. */
    async #renew() {
      if (this.#ends - Date.now() < 500) return this.#expired();
      this.#wait();
      const [round, port] = [this.#round, this.#port];
      const grant = await this.#grant().catch(() => undefined);
      if (grant && round === this.#round && port === this.#port) this.#send("token", grant);
    }

    #expired() {
      this.#tell("session-expired", {});
      this.#revive();
    }

    /** Sends a token for a new session to the frame, which keeps its page and its input. */
    async #revive() {
      const round = this.#round;
      this.#handed = undefined;
      clearTimeout(this.#timers.session);
      // The browser no longer accepts the cookie.
      if (++this.#tries > 2) return this.#plan();
      this.#enter("renewing");
      this.#late(() => this.#plan());
      try {
        const grant = await this.#grant();
        if (round !== this.#round) return;
        this.#handed = this.#port;
        this.#send("again", { again: { ...grant, ...this.#wishes() } });
      } catch (error) {
        if (round !== this.#round) return;
        clearTimeout(this.#timers.open);
        this.#enter("failed");
        this.#tell("error", { code: error.code ?? "src-missing" });
      }
    }

    #late(act) {
      this.#after("open", act, 1_000 * (Number(this.getAttribute("timeout")) || 15));
    }

    /**
     * The frame has a form that opens a tab. User activation is lost on the way through a port, so the form gets its token in
     * advance. The token is replaced before it expires, and when the page becomes visible again.
     */
    async #offer() {
      if (this.#state !== "outside") return;
      const [round, port] = [this.#round, this.#port];
      let life = 60;
      try {
        const grant = await this.#grant();
        if (round !== this.#round || port !== this.#port) return;
        const { exp, iat } = claims(grant.token);
        life = exp - iat || life;
        this.#send("tab", { fields: { ...grant, ...this.#wishes() } });
      } catch (error) {
        if (round === this.#round) this.#tell("error", { code: error.code ?? "tab-refused" });
      }
      this.#after("tab", () => {
        if (!document.hidden) return this.#offer();
        addEventListener("visibilitychange", () => this.#offer(), { once: true });
      }, 1_000 * REPLACE_AT * life);
    }

    /** The frame has loaded a document. A silent one is not ours: it is the browser's error page. */
    #loaded(round) {
      if (round !== this.#round || this.#state !== "open") return;
      if (!this.#greeted) this.#after("silence", () => this.#fail("unreachable", round), SILENCE_MS);
      this.#greeted = false;
    }

    #resize(height) {
      if (!Number.isFinite(height) || height < 1) return;
      const pixels = Math.min(Math.ceil(height), TALLEST);
      this.#frame.style.height = `${pixels}px`;
      this.#tell("resize", { height: pixels });
    }

    /** Scrolls the page to a part of the frame, as little as needed, with any scrolling ancestor. */
    #reveal(top, bottom) {
      if (!Number.isFinite(top) || !Number.isFinite(bottom)) return;
      const mark = make("i");
      const within = (value, most) => `${Math.min(Math.max(value, 1), most)}px`;
      mark.style.top = within(this.#frame.offsetTop + top, TALLEST);
      // If it is taller than half of the window, show its beginning.
      mark.style.height = within(bottom - top, innerHeight / 2);
      this.shadowRoot.append(mark);
      mark.scrollIntoView({ block: "nearest" });
      mark.remove();
    }

    #send(type, detail) {
      this.#port?.postMessage({ facteur: VERSION, type, ...detail });
    }

    /** Events with the name of a window event do not bubble: error trackers would catch them. */
    #tell(type, detail) {
      const bubbles = type !== "error" && type !== "resize";
      this.dispatchEvent(new CustomEvent(type, { detail, bubbles, composed: true }));
    }

    #fail(code, round) {
      if (round !== this.#round || this.#state === "failed") return;
      this.#close();
      this.#enter("failed");
      this.#tell("error", { code });
    }

    /** Cancels the current opening. A new one gets a new frame: the old frame's history leads nowhere. */
    #close() {
      this.#round++;
      this.#greeted = false;
      waiting.delete(this);
      this.#frame?.remove();
      this.#frame = undefined;
      for (const timer of Object.values(this.#timers)) clearTimeout(timer);
      this.#port?.close();
      this.#port = undefined;
      this.#settle();
    }

    #after(name, act, milliseconds) {
      clearTimeout(this.#timers[name]);
      this.#timers[name] = setTimeout(act, milliseconds);
    }

    #enter(state) {
      this.#state = state;
      const shown = state === "open" || state === "outside" || state === "renewing";
      this.#parts.loading.hidden = shown || state === "failed";
      this.#parts.failed.hidden = state !== "failed";
      this.#frame?.classList.toggle("open", shown);
      // Keep the frame: its input is still there if the next attempt succeeds.
      if (this.#frame) this.#frame.hidden = state === "failed";
    }

    #texts() {
      const tag = this.getAttribute("locale") || this.closest("[lang]")?.lang || navigator.language || "";
      return /^en/i.test(tag) ? TEXTS.en : TEXTS.fr;
    }

    #words() {
      const texts = this.#texts();
      this.#parts.loading.firstChild.replaceChildren(make("p", { textContent: texts.loading }));
      this.#parts.failed.firstChild.replaceChildren(
        make("p", { textContent: texts.failed }),
        make("button", { type: "button", textContent: texts.retry }),
      );
      if (this.#frame) this.#frame.title = texts.title;
    }
  }

  customElements.define("smtp-configurator", SmtpConfigurator);
})();
