/** `<smtp-configurator>` in React's JSX: `import type {} from "@facteur/embed/react"`. */
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { SmtpConfiguratorAttributes, SmtpConfiguratorElement } from "@facteur/embed";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "smtp-configurator": DetailedHTMLProps<
        HTMLAttributes<SmtpConfiguratorElement & HTMLElement>,
        SmtpConfiguratorElement & HTMLElement
      > &
        SmtpConfiguratorAttributes;
    }
  }
}
