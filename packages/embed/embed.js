// <smtp-configurator>: Facteur inside a portal's page. No dependency; may be loaded twice, and where there is no DOM.
//
//   <script src="https://facteur.example/embed.js" async></script>
//   <smtp-configurator token-url="/facteur-token" locale="fr">Chargement…</smtp-configurator>
//
// It asks the portal for a token, posts it into a frame, and speaks with the frame over a port of its own. The other
// half is app/src/frame.js. Trust: a hello counts only from our own frame and with Facteur's origin, and the port goes to
// that origin only. What comes through the port is still looked at: known names, short codes, numbers in bounds.
//
// Where Facteur is decides who gets the token, so it is never looked for in the page. It comes from the attribute `src`,
// from `configure`, or from the server: a Facteur writes its own address into `SERVED_BY` of each copy that it serves. So
// it does not matter who serves, bundles or evaluates such a copy later. This file itself, as npm has it, knows none.
//
// The page's markup is not trusted: the name of an element can hide a property of `document`, and a `<base>` can move
// relative addresses. So no address is read from `document`, and relative ones begin at the page's own.
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
    slot > * { margin: 1rem }
    button { font: inherit; padding: .5rem 1rem }
    p + button { margin-top: 0 }
  `;
  const ATTRIBUTES = ["src", "page", "locale", "theme", "token-url"];
  /** The address of the Facteur that serves this copy; empty in the file as npm has it. */
  const SERVED_BY = "";
  const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
  /** How long a page whose frame has loaded may stay silent. */
  const SILENCE_MS = 5_000;
  /** A session is renewed when this part of it is over. */
  const RENEW_AT = 0.8;
  /** The token of the offered tab is replaced when this part of its life is over. */
  const REPLACE_AT = 0.6;
  const TALLEST = 20_000;

  /** Facteur's address, unless an element has its own. */
  let home = SERVED_BY;
  /** Elements that do not know where Facteur is. */
  const waiting = new Set();
  // One after the other: the frames of a page share one cookie, and each opening replaces the session before it.
  let turn = Promise.resolve();

  const make = (name, properties = {}, ...children) => {
    // Asked of the prototype: an element of the page named `createElement` hides the method.
    const element = Object.assign(Document.prototype.createElement.call(document, name), properties);
    element.append(...children);
    return element;
  };

  /** An error with the code that `error` tells. */
  const failure = (code) => Object.assign(new Error(`smtp-configurator: ${code}`), { code });

  /**
   * Facteur's address, with a slash at its end: https, or plain http on this machine. Relative to the page's own address,
   * whatever a `<base>` says.
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

  /** What stands in a token; nothing where it cannot be read, which is Facteur's to refuse. */
  const claims = (token) => {
    try {
      return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))) ?? {};
    } catch {
      return {};
    }
  };

  /** A random text, and its hash for the token: who has the token alone opens nothing (RFC 7636, S256). */
  const proof = async () => {
    const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
    // Only a secure page can hash.
    const hash = await crypto.subtle?.digest("SHA-256", new TextEncoder().encode(verifier));
    return { verifier, challenge: hash && base64url(new Uint8Array(hash)) };
  };

  class SmtpConfigurator extends HTMLElement {
    static observedAttributes = ATTRIBUTES;

    /** Where Facteur is, for every element without `src`; for pages that bundle this file. */
    static configure({ src }) {
      home = src;
      for (const element of waiting) element.#plan();
    }

    #frame;
    /** Facteur's, as it was when the frame was made. */
    #base;
    #parts = {};
    #port;
    #fetchToken;
    #variables;
    /** The theme as the frame's session has it. */
    #worn = "";
    /** Counts the openings: what belongs to a former one is dropped. */
    #round = 0;
    /** `idle`, `opening`, `open`, `failed`, `renewing`: it has ended, or `outside`: the browser refuses the cookie. */
    #state = "idle";
    /** Lets the next opening of the page begin. */
    #settle = () => {};
    #timers = {};
    #planned = false;
    /** Whether the frame's document has said hello since the last one was loaded. */
    #greeted = false;
    /** When the session ends, by this machine's clock. */
    #ends = 0;
    /** The port that was handed a token for another session, and how often in a row that was tried. */
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
      // Whatever button the portal puts there tries again.
      failed.addEventListener("click", (event) => {
        if (event.composedPath().some((element) => element.localName === "button")) this.reload();
      });
      this.#parts = { loading, failed };
      root.append(loading, failed);
    }

    /** `({ audience, challenge }) => Promise<string>`: a fresh token. Wins over `token-url`. */
    get fetchToken() {
      return this.#fetchToken;
    }
    set fetchToken(value) {
      this.#fetchToken = value;
      if (this.#state === "idle" || this.#state === "failed") this.reload();
    }

    /** `{ brand: "#0b57d0", radius: "4px" }`, or `{ light, dark }` for a colour. What is no value is ignored. */
    get variables() {
      return this.#variables;
    }
    set variables(value) {
      this.#variables = value;
      this.#dress();
    }

    connectedCallback() {
      // What was set before the element was defined.
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
      // Another way to a token matters only where there was none.
      if (name !== "token-url" || this.#state === "idle" || this.#state === "failed") this.#plan();
    }

    /** Opens the configurator again, with a fresh token; where a session has ended, on the page that it ended under. */
    reload() {
      if (this.#state !== "failed" || !this.#frame) return this.#plan();
      this.#tries = 0;
      this.#revive();
    }

    /** Attributes that change together, and properties set right after, make one opening. */
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
        // The next one does not wait for ever.
        setTimeout(this.#settle, SILENCE_MS);
        this.#post(round).catch((error) => this.#fail(error.code ?? "src-missing", round));
        return settled;
      });
    }

    async #post(round) {
      this.#base = this.#place();
      const grant = await this.#grant();
      if (round !== this.#round) return;
      // Nobody else can have a window of this name.
      const name = `smtp-configurator-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
      this.#frame = make("iframe", { name, title: this.#texts().title });
      // The pages need none of what a page can lend its frames: no camera, no clipboard, no payment.
      this.#frame.setAttribute("allow", "");
      this.#frame.addEventListener("load", () => this.#loaded(round));
      // A plain form: a token never stands in a URL.
      const form = make("form", { method: "post", action: new URL("session", this.#base).href, target: name, hidden: true });
      for (const [name, value] of Object.entries({ ...grant, ...this.#wishes() })) {
        form.append(make("input", { type: "hidden", name, value }));
      }
      this.shadowRoot.append(this.#frame, form);
      form.submit();
      form.remove();
    }

    /** Page and language, where the portal's page chooses them. */
    #wishes() {
      const wishes = {};
      for (const name of ["page", "locale"]) if (this.hasAttribute(name)) wishes[name] = this.getAttribute(name);
      const theme = this.#theme();
      if (theme) wishes.theme = theme;
      this.#worn = theme;
      return wishes;
    }

    /** Scheme and variables as JSON; empty where the portal's page asks for nothing. */
    #theme() {
      const scheme = this.getAttribute("theme");
      const theme = {};
      if (SCHEMES.includes(scheme)) theme.scheme = scheme;
      if (this.#variables) theme.variables = this.#variables;
      return Object.keys(theme).length ? JSON.stringify(theme) : "";
    }

    /** Tells the frame when the look has changed; its session keeps it for the pages that follow. */
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

    /** A fresh token, and what proves that it was made for this page. */
    async #grant() {
      const { verifier, challenge } = await proof();
      const token = await this.#token({ audience: this.#base.href.slice(0, -1), ...(challenge && { challenge }) });
      // The portal says whom the token is for: it goes to nobody else.
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
        // Not what was caught: it may hold more than a code.
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
      // Another page begins at its top, which may be far above in a frame as long as its content.
      if (this.#state === "open" && this.getBoundingClientRect().top < 0) this.scrollIntoView({ block: "start" });
    };

    /** What the frame says. Unknown types say nothing. */
    #told(message) {
      const { type } = message;
      if (type === "visit") this.#visited(message.visit, Number(message.seconds));
      else if (type === "resize") this.#resize(message.height);
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

    /** Who the frame's document took its reader for. */
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
        // Just opened, and nobody is known: the browser did not keep the cookie. The page offers a tab.
        clearTimeout(this.#timers.open);
        this.#settle();
        this.#enter("outside");
        this.#tell("error", { code: "cookies-refused" });
      } else if (visit === "lost") {
        // The token was another person's, or not taken: nothing of this page is for whoever comes now.
        if (this.#state === "open") this.#tell("session-expired", {});
        this.#plan();
      } else if (this.#state === "open") {
        this.#expired();
      } else if (this.#handed && this.#handed !== this.#port) {
        // The frame went on to another page before the token came.
        this.#revive();
      }
    }

    /** The session has so many seconds from now on. */
    #last(seconds) {
      this.#ends = Date.now() + seconds * 1_000;
      this.#wait();
    }

    #wait() {
      const left = this.#ends - Date.now();
      this.#after("session", () => this.#renew(), Math.min(left * RENEW_AT, 2 ** 31 - 1));
    }

    /** Hands a fresh token to the frame; again and again in what is left, and at the end the session has ended. */
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

    /** The frame keeps its page, with what is typed in it, and gets a token for another session. */
    async #revive() {
      const round = this.#round;
      this.#handed = undefined;
      clearTimeout(this.#timers.session);
      // A browser that does not keep the cookie any more.
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
     * The frame has a form that opens a tab when it is pressed: a press does not survive the way through a port, so the form
     * has its token before. It is replaced while it is still good, and when somebody looks at the page again.
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

    /** The frame has loaded a document. One that stays silent is none of ours: the browser's own about an error. */
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

    #send(type, detail) {
      this.#port?.postMessage({ facteur: VERSION, type, ...detail });
    }

    /** What is named like an event of the window's own does not reach it: error trackers would take it for theirs. */
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

    /** Ends what is under way. A new opening has a new frame: the history of an old one leads nowhere. */
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
      // What is typed in it is still there when the next try goes well.
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
