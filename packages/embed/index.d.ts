/** `<smtp-configurator>`: Facteur inside a portal's page. Importing the package defines the element. */

/**
 * Sets Facteur's address (`https://facteur.example/`) for every element without an attribute `src`. Call it once, at
 * the start.
 */
export function configure(options: { src: string }): void;

/**
 * The request for a token, for the portal's server. `audience` is Facteur's address; `challenge` must be copied into the token, so
 * that only this page can use it. Without TLS there is no `challenge`.
 */
export type TokenRequest = { audience: string; challenge: string } | { audience: string };

export type Page = "sending-mode" | "profiles";
export type Theme = "light" | "dark" | "system";
export type SendingMode = "portal" | "own_smtp";

/** A value, or for a colour one for each scheme. Invalid values are ignored. */
export type Variables = Record<string, string | { light: string; dark: string }>;

/** Why `error` was fired. */
export type ErrorCode =
  /** `token-url` or `fetchToken` returned no token. */
  | "token-unavailable"
  /** Facteur refused the token. */
  | "token-refused"
  /** Facteur does not respond, or a policy forbids the frame. */
  | "unreachable"
  /** The browser blocks the frame's cookie; the frame offers a tab. */
  | "cookies-refused"
  /**
   * Facteur's address is missing: no `src`, no `configure`, and the script was not served by Facteur. Nothing was sent.
   */
  | "src-missing"
  /** `src` is not an https URL (or http on this machine). Nothing was sent. */
  | "src-invalid"
  /** The token's `aud` names another Facteur than `src`. Nothing was sent. */
  | "audience-mismatch";

/** The element's events. All but `error` and `resize` bubble. They contain ids and codes only. */
export interface SmtpConfiguratorEventMap {
  /** The configurator is open. */
  ready: CustomEvent<Record<string, never>>;
  /** The height of the content has changed, in CSS pixels; the frame has been resized already. */
  resize: CustomEvent<{ height: number }>;
  /** A profile was created or changed; a new one is saved at each of its two steps. */
  "profile-saved": CustomEvent<{ id: string }>;
  "profile-deleted": CustomEvent<{ id: string }>;
  /** The mail server accepted the test message. */
  "test-succeeded": CustomEvent<{ id: string }>;
  /**
   * `cause` is one of Facteur's codes, such as `bad_credentials`; `delivery_unknown` when the message may have been
   * sent.
   */
  "test-failed": CustomEvent<{ id: string; cause: string }>;
  "mode-changed": CustomEvent<{ mode: SendingMode }>;
  /** The session has ended; the element requests a token and opens a new session on the same page. `ready` follows. */
  "session-expired": CustomEvent<Record<string, never>>;
  error: CustomEvent<{ code: ErrorCode }>;
}

type Listener<Name extends keyof SmtpConfiguratorEventMap> = (
  this: SmtpConfiguratorElement,
  event: SmtpConfiguratorEventMap[Name],
) => unknown;

/**
 * Attributes: `src` (Facteur's address; default: `configure`'s, or the address of the Facteur that served the script),
 * `token-url` (posted to with credentials; returns the token as text or as `{"token": "…"}`), `page`, `locale` (`fr`,
 * `en`), `theme`, `timeout` (seconds until Facteur counts as unreachable; 15).
 *
 * Its children are shown while it loads. The slot `retry` is shown after a failure; any button in it tries again.
 */
export interface SmtpConfiguratorElement extends Omit<HTMLElement, "addEventListener" | "removeEventListener"> {
  /** Fetches a fresh token from the portal. Takes precedence over `token-url`. */
  fetchToken?: (wanted: TokenRequest) => Promise<string>;
  /** Colours, fonts and sizes (docs/embedding.md lists them); may change at any time. */
  variables?: Variables;
  /** Opens the configurator again, with a fresh token. */
  reload(): void;
  addEventListener<Name extends keyof SmtpConfiguratorEventMap>(
    type: Name,
    listener: Listener<Name>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Name extends keyof SmtpConfiguratorEventMap>(
    type: Name,
    listener: Listener<Name>,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The attributes, for JSX. */
export interface SmtpConfiguratorAttributes {
  src?: string;
  "token-url"?: string;
  page?: Page;
  locale?: string;
  theme?: Theme;
  timeout?: number | string;
}

declare global {
  interface HTMLElementTagNameMap {
    "smtp-configurator": SmtpConfiguratorElement & HTMLElement;
  }
}
