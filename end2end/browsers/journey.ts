// The tutorial from beginning to end, in every browser, as one person: in a page and in the portal's frame.
import { PASSWORD } from "../tests/configurator";
import { type Demo, expect, test } from "../tests/demo";
import { type Driver, Person } from "./driver";

const LOGIN = "boutique@sandbox.example";
const SECRET = "Mot de passe SMTP";
const ACTIONS = "#content .actions";

/** The events that the portal's page gets. Each of the two steps saves, and so does restoring a deleted profile. */
const HEARD = [
  "ready", "profile-saved", "profile-saved", "test-succeeded", "profile-saved", "profile-saved", "test-failed", "test-succeeded",
  "profile-deleted", "profile-saved",
];

/** The demo's addresses for this browser. */
type Places = Pick<Demo, "portal" | "inbox">;
export type Place = "page" | "frame";

/** From the portal's page to the list of profiles. */
async function open(person: Person, demo: Places, place: Place) {
  await person.driver.go(`${demo.portal}/boulangerie-martin/settings/sending?lang=fr`);
  if (place === "frame") await person.driver.enter();
  else await person.press(["link", "Ouvrir dans une page"]);
  await person.press(["link", "Profils SMTP", "nav"]);
  await person.sees("heading", "Profils SMTP");
}

/** The form with the sandbox selected, once its guide is loaded: later changes would move the page. */
async function begin(person: Person) {
  await person.press(["link", "Ajouter"]);
  await person.sees("css", ".search.shown");
  await person.press(["label", "Bac à sable (sandbox)"]);
  await person.reads("smtp.sandbox.example", "field", "Adresse du serveur SMTP");
  await expect.poll(() => person.ask(() => document.querySelector("#guide")!.textContent)).toContain("sandbox");
}

/** From the form through the encoding page to the list, where the profile is selected. */
async function save(person: Person) {
  await person.press(["button", "Valider", ACTIONS]);
  await encode(person);
}

async function encode(person: Person) {
  await person.sees("heading", "Encodage SMTP");
  expect(await person.driver.run(() => document.querySelector(":checked + label, label:has(:checked)")?.textContent)).toContain("UTF-8");
  await person.press(["button", "Valider", ACTIONS]);
  await person.sees("css", ".profile :checked + label");
}

/** Every legend is inside its box, the content is under it, and on a wide page the fields are beside the guide. */
async function looks(person: Person, place: Place) {
  const boxes = await person.driver.run(() => [...document.querySelectorAll("fieldset.section")].map((box) => {
    const legend = box.querySelector("legend")!;
    const { top, bottom } = legend.getBoundingClientRect();
    const next = legend.nextElementSibling!.getBoundingClientRect().top;
    return { name: legend.textContent, under: top - box.getBoundingClientRect().top, before: next - bottom };
  }));
  expect(boxes.length).toBeGreaterThan(2);
  for (const { name, under, before } of boxes) {
    expect(under, `${name}: its legend is below the border`).toBeGreaterThan(8);
    expect(before, `${name}: what follows is below the legend`).toBeGreaterThanOrEqual(-1);
  }
  if (place === "frame") return;
  const { guide, fields, box } = await person.driver.run(() => {
    const right = (element: Element) => element.getBoundingClientRect().right;
    const guide = document.querySelector("#guide")!;
    const fields = [...guide.parentElement!.querySelectorAll(":scope > .field")].map(right);
    return { guide: guide.getBoundingClientRect().left, box: right(guide.closest(".section")!) - right(guide), fields };
  });
  expect(fields.length).toBeGreaterThan(4);
  for (const right of fields) expect(right).toBeLessThanOrEqual(guide);
  expect(box, "the guide is inside the box").toBeGreaterThan(8);
}

/** Records everything that the panel shows, even for a moment. Runs in the page. */
function watch() {
  const shown: string[] = ((window as any).shown = []);
  const added = (records: MutationRecord[]) => records.flatMap(({ addedNodes }) => [...addedNodes]);
  new MutationObserver((records) => {
    for (const phase of added(records).filter((node): node is Element => node instanceof Element && node.matches(".phase"))) {
      shown.push(`${phase.className} ${phase.querySelector(".name")!.textContent}`);
    }
  }).observe(document.querySelector(".panel .phases")!, { childList: true });
}

/** Presses Tester once its island listens: earlier, the browser would show the report as a page. */
async function startTest(person: Person, first = () => {}) {
  await person.sees("css", ".toolbar [data-test][aria-disabled=false]");
  await person.driver.run(first);
  await person.press(["button", "Tester"]);
}

const succeeds = (person: Person) => person.sees("css", ".panel [data-verdict=accepted]");

/** The whole of it. */
export async function walk(driver: Driver, demo: Places, place: Place) {
  const person = new Person(driver);
  await test.step("a profile of the sandbox, its password pasted with spaces", async () => {
    await open(person, demo, place);
    await begin(person);
    await looks(person, place);
    await person.fill(LOGIN, "field", "Identifiant SMTP");
    await person.paste(` ${PASSWORD} `, ["css", "#sender_name"], ["field", SECRET]);
    await person.reads(PASSWORD.replaceAll(" ", ""), "field", SECRET);
    await person.sees("text", "5 caractères en trop retirés.");
    await person.press(["button", "Afficher le mot de passe"]);
    await person.sees("css", "#secret[type=text]");
    await save(person);
  });
  await test.step("Tester: four phases, one after the other, and success", async () => {
    await startTest(person, watch);
    await succeeds(person);
    const shown = await driver.run(() => (window as any).shown as string[]);
    for (const name of ["Joindre le serveur", "Sécuriser la connexion", "Se connecter", "Envoyer le message"]) {
      expect(shown).toContainEqual(expect.stringMatching(`\\bok\\b.*${name}`));
    }
    expect(shown).toContainEqual(expect.stringMatching(/\brunning\b/));
  });
  await test.step("the code of the mail confirms its reception", async () => {
    const [{ text }] = await demo.inbox();
    await person.fill(/Code de réception\s*: (\d{3} \d{3})/.exec(text)![1], "field", "Code reçu");
    await person.press(["button", "Confirmer la réception"]);
    await person.sees("text", "La réception est confirmée");
  });
  await test.step("a wrong password is typed again inside the card that explains it", async () => {
    await person.press(["button", "Modifier"]);
    await person.sees("css", ".search.shown");
    await person.fill("not-this-one-9999", "field", SECRET);
    await save(person);
    await startTest(person);
    await person.sees("css", ".panel [data-cause=bad_credentials]");
    await person.sees("heading", "Identifiant ou mot de passe refusé", ".panel");
    await person.fill(PASSWORD, "field", SECRET, ".panel [data-verdict]");
    await person.press(["button", "Enregistrer et retester", ".panel [data-verdict]"]);
    await succeeds(person);
    expect(await demo.inbox()).toHaveLength(2);
  });
  await test.step("the profile is deleted, and that is taken back", async () => {
    await person.press(["css", ".more > summary"]);
    await person.press(["button", "Supprimer", ".more"]);
    await person.sees("text", "Vous aurez dix secondes pour annuler.");
    await person.press(["button", "Supprimer", ACTIONS]);
    await person.press(["button", "Annuler", ".undo"]);
    await person.sees("text", `Le profil ${LOGIN} est rétabli, avec son mot de passe.`);
    await person.sees("css", ".profile :checked + label");
  });
  if (place === "frame") {
    await test.step("the portal's page got the events", async () => {
      const told = () => driver.around(() => [...document.querySelectorAll("#events li")].map((line) => line.textContent!.split(" ")[0]));
      await expect.poll(told).toEqual(HEARD);
    });
  }
}

/** A profile whose owner signs in at the provider instead of entering a password; and signs out again. */
export async function signIn(driver: Driver, demo: Places, place: Place) {
  const person = new Person(driver);
  /** With the script, one press is enough; it is not pressed before the script listens. */
  const listens = () => performance.getEntriesByType("resource").some(({ name }) => name.endsWith(".wasm"));
  const press = async (button: string) => {
    await expect.poll(() => person.ask(listens)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await person.press(["button", button]);
  };
  const enters = (button: string) =>
    driver.inWindow(
      () => press(button),
      async (window) => {
        const there = new Person(window);
        await there.press(["css", "button[value=accept]"]);
        // WebKit lays out no window in the background.
        await expect.poll(() => there.ask(() => location.pathname + document.body.textContent)).toContain("Connexion réussie avec boutique@sandbox.example");
      },
    );
  await test.step("one press opens the provider, and the page goes on by itself", async () => {
    await open(person, demo, place);
    await begin(person);
    await enters("Se connecter avec Sandbox");
    await encode(person);
  });
  await test.step("Tester: the server accepts the message", async () => {
    await startTest(person);
    await succeeds(person);
    expect(await demo.inbox()).toHaveLength(1);
  });
  await test.step("signed in again, and signed out", async () => {
    await person.press(["button", "Modifier"]);
    await person.sees("text", "Compte utilisé : boutique@sandbox.example");
    await enters("Se reconnecter");
    await person.sees("css", ".profile :checked + label");
    await person.press(["button", "Modifier"]);
    await person.press(["button", "Se déconnecter"]);
    await person.sees("text", "Vous êtes déconnecté");
  });
}

/**
 * From the list: Valider is pressed while a field has the focus, and the response about that field arrives while the
 * button is down.
 */
export async function hold(driver: Driver) {
  const person = new Person(driver);
  await begin(person);
  await person.fill(LOGIN, "field", "Identifiant SMTP");
  // Typed input is normalised when it is shown; pasted input at once.
  await person.fill(PASSWORD, "field", SECRET);
  await person.press(["button", "Afficher le mot de passe"]);
  await person.reads(PASSWORD.replaceAll(" ", ""), "field", SECRET);
  await driver.run(() => {
    const { fetch } = window;
    const down = new Promise((resolve) => Object.assign(window, { letGo: resolve, answered: 0 }));
    window.fetch = async (...asked) => {
      const answer = await fetch(...asked);
      if (!/guide/.test(String(asked[0]))) return answer;
      await down;
      const text = await answer.text();
      // The page reads it first.
      return Object.assign(answer, { text: async () => (setTimeout(() => (window as any).answered++), text) });
    };
  });
  const look = () => ({
    top: document.querySelector("#content .actions .primary")!.getBoundingClientRect().top,
    guide: document.querySelector("#guide")!.textContent,
  });
  await person.fill("smtp.gmail.com", "field", "Adresse du serveur SMTP");
  await person.press(["button", "Valider", ACTIONS], async () => {
    const before = await driver.run(look);
    await driver.run(() => (window as any).letGo());
    await expect.poll(() => driver.run(() => (window as any).answered as number)).toBeGreaterThan(0);
    expect(await driver.run(look)).toEqual(before);
  });
  await person.sees("heading", "Encodage SMTP");
}
