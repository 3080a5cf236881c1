// A React component around the element, with typed events. For React 18 and 19.
import "@facteur/embed";
import type { SmtpConfiguratorAttributes, SmtpConfiguratorElement, SmtpConfiguratorEventMap, TokenRequest } from "@facteur/embed";
import type {} from "@facteur/embed/react";
import { type ReactNode, useEffect, useRef } from "react";

type Handlers = { [Name in keyof SmtpConfiguratorEventMap]?: (detail: SmtpConfiguratorEventMap[Name]["detail"]) => void };

interface Props extends Omit<SmtpConfiguratorAttributes, "token-url" | "src"> {
  /** Facteur's address. */
  src: string;
  /** Fetches a token from your server. */
  fetchToken: (wanted: TokenRequest) => Promise<string>;
  /** Handlers by event name: `{ "profile-saved": ({ id }) => … }`. */
  on?: Handlers;
  /** Shown while it loads. */
  children?: ReactNode;
}

export function SmtpConfigurator({ fetchToken, on = {}, children, ...attributes }: Props) {
  const element = useRef<SmtpConfiguratorElement & HTMLElement>(null);
  // Refs to the latest functions: a new function must not reopen the configurator.
  const latest = useRef({ fetchToken, on });
  latest.current = { fetchToken, on };
  const names = Object.keys(on).sort().join();

  useEffect(() => {
    const current = element.current;
    if (!current) return;
    current.fetchToken ??= (wanted) => latest.current.fetchToken(wanted);
    const leaving = new AbortController();
    for (const name of names.split(",").filter(Boolean) as (keyof SmtpConfiguratorEventMap)[]) {
      const tell = (event: Event) => {
        const handler = latest.current.on[name] as ((detail: unknown) => void) | undefined;
        handler?.((event as CustomEvent).detail);
      };
      current.addEventListener(name as string, tell, { signal: leaving.signal });
    }
    return () => leaving.abort();
  }, [names]);

  return (
    <smtp-configurator ref={element} {...attributes}>
      {children}
    </smtp-configurator>
  );
}

export function Settings() {
  return (
    <SmtpConfigurator
      src="https://facteur.example/"
      page="profiles"
      locale="fr"
      theme="system"
      fetchToken={async (wanted) => (await fetch("/facteur-token", { method: "POST", body: new URLSearchParams(wanted) })).text()}
      on={{
        "profile-saved": ({ id }) => console.log("saved", id),
        "test-failed": ({ id, cause }) => console.log("failed", id, cause),
        error: ({ code }) => code === "cookies-refused" && console.log("a tab is offered"),
      }}
    >
      Chargement…
    </SmtpConfigurator>
  );
}
