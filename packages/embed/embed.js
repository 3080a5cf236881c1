// <smtp-configurator>: Facteur inside a portal's page. No dependency; may be loaded twice, and where there is no DOM.
//
//   <script src="https://facteur.example/embed.js" async></script>
//   <smtp-configurator token-url="/facteur-token" locale="fr">Chargement…</smtp-configurator>
//
// It asks the portal for a token, posts it into a frame, and speaks with the frame over a port of its own. The other
// half is app/src/frame.js. Trust: a hello counts only from our own frame and with Facteur's origin, and the port goes to
// that origin only. What comes through the port is still looked at: known names, short codes, numbers in bounds.
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
      title: "How e-mails are sent: settings",
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
  /** How long a page whose frame has loaded may stay silent. */
  const SILENCE_MS = 5_000;
  /** A session is renewed when this part of it is over. */
  const RENEW_AT = 0.8;
  const TALLEST = 20_000;

  const script = document.currentScript ?? document.querySelector('script[src*="/embed.js"]');
  const home = script?.src ? new URL(".", script.src).href : undefined;
  let names = 0;
  // One after the other: the frames of a page share one cookie, and each opening replaces the session before it.
  let turn = Promise.resolve();

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  /** Leaves a document by a plain form: a token never stands in a URL. */
  const post = (page, target, action, fields) => {
    const form = page.createElement("form");
    Object.assign(form, { method: "post", action, target, hidden: true });
    for (const [name, value] of Object.entries(fields)) {
      const field = page.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
    (page.body ?? page.documentElement).append(form);
    form.submit();
    form.remove();
  };

  /** An error with the code that `error` tells. */
  const failure = (code) => Object.assign(new Error(`smtp-configurator: ${code}`), { code });

  class SmtpConfigurator extends HTMLElement {
    static observedAttributes = ATTRIBUTES;

    #frame;
    /** Facteur's, as it was when the frame was made. */
    #origin;
    #parts = {};
    #port;
    #fetchToken;
    #variables;
    /** The theme as the frame's session has it. */
    #worn = "";
    /** Counts the openings: what belongs to a former one is dropped. */
    #round = 0;
    /** `idle`, `opening`, `open`, `failed`, or `outside`: the browser refuses the cookie. */
    #state = "idle";
    /** Lets the next opening of the page begin. */
    #settle = () => {};
    #timers = {};
    #planned = false;
    /** Whether the frame's document has said hello since the last one was loaded. */
    #greeted = false;
    /** When the session ends, by this machine's clock. */
    #ends = 0;

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

    /** `() => Promise<string>`: a fresh token. Wins over `token-url`. */
    get fetchToken() {
      return this.#fetchToken;
    }
    set fetchToken(value) {
      this.#fetchToken = value;
      if (this.#state === "idle" || this.#state === "failed") this.#plan();
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

    /** Opens the configurator again, with a fresh token. */
    reload() {
      this.#plan();
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
      this.#after("open", () => this.#fail("unreachable", round), 1_000 * (Number(this.getAttribute("timeout")) || 15));
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
      const base = this.#base();
      const token = await this.#token();
      if (round !== this.#round) return;
      this.#origin = base.origin;
      const name = `smtp-configurator-${Date.now()}-${++names}`;
      this.#frame = make("iframe", { name, title: this.#texts().title });
      // The pages need none of what a page can lend its frames: no camera, no clipboard, no payment.
      this.#frame.setAttribute("allow", "");
      this.#frame.addEventListener("load", () => this.#loaded(round));
      this.shadowRoot.append(this.#frame);
      post(document, name, new URL("session", base).href, { token, ...this.#wishes() });
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

    #base() {
      const source = this.getAttribute("src") || home;
      if (!source) throw failure("src-missing");
      return new URL(source.endsWith("/") ? source : `${source}/`, document.baseURI);
    }

    async #token() {
      try {
        let token;
        if (this.#fetchToken) {
          token = await this.#fetchToken();
        } else {
          const answer = await fetch(this.getAttribute("token-url"), {
            method: "POST",
            credentials: "include",
            headers: { accept: "application/json, text/plain" },
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
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#origin) return;
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
      else if (type === "tab") this.#tab();
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
        clearTimeout(this.#timers.open);
        this.#settle();
        if (seconds > 0) this.#last(seconds);
        this.#enter("open");
        if (fresh) this.#tell("ready", {});
      } else if (visit === "refused" && fresh) {
        this.#fail("token-refused", this.#round);
      } else if (fresh) {
        // Just opened, and nobody is known: the browser did not keep the cookie. The page offers a tab.
        clearTimeout(this.#timers.open);
        this.#settle();
        this.#enter("outside");
        this.#tell("error", { code: "cookies-refused" });
      } else if (this.#state === "open") {
        this.#expired();
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
      const token = await this.#token().catch(() => undefined);
      if (token && round === this.#round && port === this.#port) this.#send("token", { token });
    }

    #expired() {
      this.#tell("session-expired", {});
      this.#plan();
    }

    /** Opens the configurator in a tab, after a press in the frame. The tab comes first: it may not come later. */
    async #tab() {
      if (this.#state !== "outside") return;
      const tab = globalThis.open("about:blank");
      try {
        const token = await this.#token();
        tab.opener = null;
        post(tab.document, "_self", new URL("session", this.#base()).href, { token, ...this.#wishes() });
      } catch (error) {
        tab?.close();
        this.#tell("error", { code: error.code ?? "tab-refused" });
      }
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
      const shown = state === "open" || state === "outside";
      this.#parts.loading.hidden = shown || state === "failed";
      this.#parts.failed.hidden = state !== "failed";
      this.#frame?.classList.toggle("open", shown);
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
