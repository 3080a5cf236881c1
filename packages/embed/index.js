// The package's entry point. Importing it defines the element; `configure` sets Facteur's address.
import "./embed.js";

/** Sets Facteur's address for every element without an attribute `src`. Without a DOM it does nothing. */
export const configure = (options) => globalThis.customElements?.get("smtp-configurator")?.configure(options);
