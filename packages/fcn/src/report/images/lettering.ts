import { nodeModule } from "@fcn/tensor/internal";
import { loadSharp } from "../../encoding/sharp.js";
import { escapeHtml } from "../html/page.js";

export interface TextStyle {
  /** Font size in pixels, as in CSS. */
  readonly size: number;
  /** As `#rrggbb`. */
  readonly colour: string;
  readonly bold?: boolean;
}

/** One line of text, ready to be drawn. */
export interface Lettering {
  /** In pixels. */
  readonly width: number;
  /** The SVG of the text, with the left end of its baseline at a point in pixels. */
  at(x: number, y: number): string;
}

/**
 * Bundlers would follow `new URL("...", import.meta.url)` if written as one, but browsers have no use for the fonts.
 */
const HERE = import.meta.url;
/** Markup cannot express these, and a line break would start a second line. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;
/** sharp cannot draw anything wider than 32,767 pixels. */
const MOST_LETTERS = 1000;
/** An invisible letter as deep as any, which fixes the distance from the baseline to the lower edge. */
const STRUT = '<span alpha="1">|</span>';
const DEPTH = 0.25;

/**
 * Sets one line of text in a font of this package, since a machine may have none (a bare container). Letters that
 * neither this font nor any on the machine has are drawn as a box.
 */
export async function typeset(text: string, { size, colour, bold = false }: TextStyle): Promise<Lettering> {
  const sharp = await loadSharp("typeset");
  quietFontconfig();
  const letters = escapeHtml(text.slice(0, MOST_LETTERS).replace(UNPRINTABLE, "\ufffd"));
  const markup = `<span foreground="${colour}">${letters}${STRUT}</span>`;
  const face = bold ? "Bold" : "Regular";
  const style = { font: `Open Sans ${face} ${size}`, fontfile: asset(`OpenSans-${face}.ttf`), rgba: true };
  const png = sharp({ text: { text: markup, ...style } }).png();
  const { data, info } = await png.toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const image = `width="${width}" height="${height}" href="data:image/png;base64,${data.toString("base64")}"`;
  return { width, at: (x, y) => `<image x="${x}" y="${y + Math.round(DEPTH * size) - height}" ${image}/>` };
}

/** Without a configuration of its own (a bare container), fontconfig prints errors to the terminal. */
function quietFontconfig(): void {
  const { env, platform } = process;
  if (platform !== "linux" || env.FONTCONFIG_PATH !== undefined) return;
  if (!nodeModule("typeset", "node:fs").existsSync("/etc/fonts/fonts.conf"))
    env.FONTCONFIG_FILE ??= asset("fonts.conf");
}

function asset(name: string): string {
  return nodeModule("typeset", "node:url").fileURLToPath(new URL(`../../../assets/${name}`, HERE));
}
