// After the pictures: a page that shows them all, target/screenshots/index.html. Plain HTML; each picture opens at its
// size.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FOLDER, type Picture, addressOf, pictureOf } from "./files";
import { LANGUAGES, SURFACES, THEMES, WIDTHS } from "./scene";
import { STATES } from "./states";

const STYLE = `
  body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; background: #eceff1; color: #1b2327 }
  nav { position: sticky; top: 0; background: #eceff1; padding: .5rem 0; display: flex; gap: 1rem; flex-wrap: wrap }
  section > div { overflow-x: auto; display: flex; gap: 1rem; align-items: start; padding-bottom: 1rem }
  figure { margin: 0; flex: none } figcaption { color: #57636a }
  img { display: block; border: 1px solid #b0bec5; max-height: 40rem; width: auto; background: #fff }
  .missing { color: #b00020; border: 1px dashed; padding: 3rem 1rem }`;

function figure(picture: Picture): string {
  const { width, theme, name } = picture;
  const caption = `<figcaption>${width}, ${theme}</figcaption>`;
  if (!existsSync(pictureOf(picture))) return `<figure>${caption}<p class="missing">missing</p></figure>`;
  const address = addressOf(picture);
  return `<figure>${caption}<a href="${address}"><img loading="lazy" src="${address}" alt="${name}, ${width} wide, ${theme}"></a></figure>`;
}

function state(name: string, surface: Picture["surface"], language: Picture["language"]): string {
  const figures = WIDTHS.flatMap((width) => THEMES.map((theme) => figure({ surface, language, theme, width, name })));
  return `<section><h3 id="${surface}-${language}-${name}">${name}</h3><div>${figures.join("")}</div></section>`;
}

export default function sheet() {
  const parts: string[] = [];
  const links: string[] = [];
  for (const surface of SURFACES) {
    for (const language of LANGUAGES) {
      const heading = `${surface}, ${language}`;
      links.push(`<a href="#${surface}-${language}">${heading}</a>`);
      parts.push(`<h2 id="${surface}-${language}">${heading}</h2>`);
      for (const { name, only } of STATES) if (!only || only === surface) parts.push(state(name, surface, language));
    }
  }
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Facteur, every state</title>`;
  const body = `<h1>Every page and state</h1><nav>${links.join("")}</nav>${parts.join("\n")}`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "index.html"), `<!doctype html><html lang="en">${head}<style>${STYLE}</style>${body}</html>\n`);
  console.log(`Look at ${join(FOLDER, "index.html")}`);
}
