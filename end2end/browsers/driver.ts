// The functions that a journey needs from a browser, independent of its protocol; and a person, who finds everything by
// its words and acts with mouse and keyboard.
import { expect } from "../tests/demo";

/** A device and its actions, in the format that WebDriver and BiDi share. */
export type Source = { type: "pointer" | "key"; id: string; parameters?: object; actions: object[] };

export interface Driver {
  go(url: string): Promise<unknown>;
  /** Continues in the portal's frame. */
  enter(): Promise<void>;
  /** Runs a function in the page around the frame; undefined outside a frame. */
  around<A extends unknown[], T>(what: (...given: A) => T, ...given: A): Promise<Awaited<T> | undefined>;
  /** Runs a function in the document. It sees its arguments and nothing else of the test. */
  run<A extends unknown[], T>(what: (...given: A) => T, ...given: A): Promise<Awaited<T>>;
  /** An element as the origin of a pointer's move; undefined if there is none. */
  origin<A extends unknown[]>(find: (...given: A) => Element | undefined, ...given: A): Promise<object | undefined>;
  perform(sources: Source[]): Promise<unknown>;
  /** Acts in the window that a press opens, closes it and comes back. */
  inWindow(press: () => Promise<unknown>, act: (window: Driver) => Promise<unknown>): Promise<unknown>;
}

/** What a person searches for: `field` by its label, `css` by a selector. */
type Kind = "button" | "link" | "label" | "field" | "heading" | "text" | "css";
type Wanted = [kind: Kind, words: string, within?: string];

/**
 * The first visible match. `still`: scrolled to the middle of the window, and returned only once it is at rest. A frame
 * takes the height of each new page a little later, and the portal's page moves then. Runs in the page.
 */
function found(still: boolean, kind: Kind, words: string, within = "body"): Element | undefined {
  const named: Partial<Record<Kind, string>> = { link: "a", field: "label", heading: "h1, h2", text: "p, li, legend", css: words };
  for (const element of document.querySelectorAll(`:is(${within}) :is(${named[kind] ?? kind})`)) {
    const target = kind === "field" ? (element as HTMLLabelElement).control : element;
    const text = (element.textContent ?? "").replace(/\s+/g, " ").trim();
    const part = kind === "heading" || kind === "text";
    if (!target?.getClientRects().length || (kind !== "css" && !(part ? text.includes(words) : text === words))) continue;
    if (!still) return target;
    target.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y } = target.getBoundingClientRect();
    const { offsetHeight } = document.documentElement;
    const [before, now] = [(window as any).seenAt, { words, x, y, innerHeight, offsetHeight }];
    Object.assign(window, { seenAt: now });
    const rests = JSON.stringify(now) === JSON.stringify(before);
    return rests && (window === top || Math.abs(offsetHeight - innerHeight) <= 1) ? target : undefined;
  }
}

/**
 * Scrolls the portal's page to a height of the frame, because a frame of another origin cannot scroll its parent.
 * Returns whether the frame is at rest. Runs in the portal's page.
 */
function bring(height: number): boolean {
  const place = document.querySelector("smtp-configurator")!;
  scrollBy({ top: place.getBoundingClientRect().top + height - innerHeight / 2, behavior: "instant" });
  const { top, bottom } = place.getBoundingClientRect();
  const [before, now] = [(window as any).frameAt, [top, bottom].join()];
  Object.assign(window, { frameAt: now });
  return now === before;
}

const mouse = (...actions: object[]): Source => ({ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions });
const keys = (...actions: object[]): Source => ({ type: "key", id: "keyboard", actions });
const type = (text: string) => [...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
const CONTROL = "\uE009";

export class Person {
  constructor(readonly driver: Driver) {}

  /** Asks the page; undefined while one page follows another. */
  ask: Driver["run"] = (what, ...given) => this.driver.run(what, ...given).catch(() => undefined as never);

  async sees(...wanted: Wanted) {
    const look = async () => !!(await this.driver.origin(found, false, ...wanted).catch(() => undefined));
    await expect.poll(look, { message: wanted.join(" "), intervals: [100] }).toBe(true);
  }

  /** Presses in the middle. `held` runs before the button is released. */
  async press(wanted: Wanted, held?: () => Promise<unknown>) {
    let origin: object | undefined;
    const look = async () => {
      origin = await this.driver.origin(found, true, ...wanted).catch(() => undefined);
      return !!origin && (await this.driver.around(bring, await this.driver.run(() => (window as any).seenAt.y as number))) !== false;
    };
    await expect.poll(look, { message: wanted.join(" "), intervals: [50] }).toBe(true);
    const down = [{ type: "pointerMove", x: 0, y: 0, origin }, { type: "pointerDown", button: 0 }];
    const up = { type: "pointerUp", button: 0 };
    if (!held) return this.driver.perform([mouse(...down, up)]);
    await this.driver.perform([mouse(...down)]);
    await held();
    return this.driver.perform([mouse(up)]);
  }

  /** A key while Control is down. */
  shortcut = (value: string) =>
    this.driver.perform([keys({ type: "keyDown", value: CONTROL }, ...type(value), { type: "keyUp", value: CONTROL })]);

  /** Replaces the text of a field by typing. */
  async fill(text: string, ...wanted: Wanted) {
    await this.press(wanted);
    await this.shortcut("a");
    await this.driver.perform([keys(...type(text))]);
    await this.reads(text, ...wanted);
  }

  /** Cuts a text from one field and pastes it into another. */
  async paste(text: string, from: Wanted, to: Wanted) {
    await this.fill(text, ...from);
    await this.shortcut("a");
    await this.shortcut("x");
    await this.reads("", ...from);
    await this.press(to);
    await this.shortcut("v");
  }

  /** A field has this value. */
  async reads(value: string, ...[kind, words, within = "body"]: Wanted) {
    const look = (kind: Kind, words: string, within: string) => {
      const labels = [...document.querySelectorAll<HTMLLabelElement>(`:is(${within}) label`)];
      const label = labels.find(({ textContent }) => textContent!.replace(/\s+/g, " ").trim() === words);
      return ((kind === "css" ? document.querySelector(words) : label?.control) as HTMLInputElement | null)?.value;
    };
    await expect.poll(() => this.ask(look, kind, words, within), `the value of ${words}`).toBe(value);
  }
}
