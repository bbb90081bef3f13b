import { baseName } from "../session/names.js";

/** The formats that `fcn train` reads, by what image-size calls them. */
export const EXPORTED_TYPES: readonly string[] = ["avif", "gif", "jpg", "png", "webp"];

/** The name of an image in what is taken away: its own, or that of the PNG which it becomes. */
export const exportName = (name: string): string =>
  /.\.(avif|gif|jpe?g|png|webp)$/i.test(name) ? name : `${baseName(name)}.png`;
