// The paths of the pictures.
import { join } from "node:path";
import type { Language, Surface, Theme } from "./scene";

export const FOLDER = join(import.meta.dirname, "../../target/screenshots");

export type Picture = { surface: Surface; language: Language; theme: Theme; width: number; name: string };

/** Relative to the folder, with slashes, so that it is also a URL. */
export const addressOf = ({ surface, language, theme, width, name }: Picture) => `${surface}/${language}/${theme}/${width}/${name}.png`;

export const pictureOf = (picture: Picture) => join(FOLDER, addressOf(picture));
