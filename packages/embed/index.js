// The package's entry. Importing it defines the element; a bundle does not know where Facteur is, so the page says so.
import "./embed.js";

/** Where Facteur is, for every element without an attribute `src`. Without a DOM it does nothing. */
export const configure = (options) => globalThis.customElements?.get("smtp-configurator")?.configure(options);
