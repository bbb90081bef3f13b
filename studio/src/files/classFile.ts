import { freeColour, isClassColour, isSameColour } from "../session/colours.js";
import { MOST_CLASSES, newId } from "../session/commands.js";
import { StudioError } from "../session/errors.js";
import type { PaintClass } from "../session/types.js";

/** The classes of a data set, and what stands for them in its masks. */
export interface ListedClasses {
  readonly classes: readonly PaintClass[];
  /** Numbers of grey values or palette indices, and the label of each; 255 is void. */
  readonly values: readonly (readonly [value: number, label: number])[];
  /** Colours as 0xRRGGBB, and the label of each. */
  readonly colours: readonly (readonly [colour: number, label: number])[];
}

const VOID = 255;
const VOID_COLOUR = 0xe0e0c0;

interface Entry {
  readonly name: string;
  readonly colour: PaintClass["colour"] | undefined;
  readonly value: number | undefined;
  readonly ignore: boolean;
}

/**
 * Takes what a `classes.json` holds: a list of names, or of `{ "name", "color", "value", "ignore" }`, or either under
 * "classes".
 *
 * @throws StudioError `invalid-data-set` if it is something else, or lists no class or too many
 */
export function listedClasses(json: unknown): ListedClasses {
  const list = Array.isArray(json) ? json : (json as { classes?: unknown } | null)?.classes;
  const refuse = (what: string): never => {
    const fix = 'Write it as ["sky", "road"], or as [{ "name": "sky", "color": [0, 0, 255] }, ...].';
    throw new StudioError("invalid-data-set", `"classes.json" ${what}.`, fix);
  };
  if (!Array.isArray(list)) return refuse("is no list of classes");
  const entries = list.map((value: unknown, i) => entryOf(value) ?? refuse(`has no class in entry ${i}`));
  const real = entries.filter(({ ignore }) => !ignore);
  if (real.length === 0 || real.length > MOST_CLASSES) {
    refuse(`lists ${real.length} classes, and 1 to ${MOST_CLASSES} are possible`);
  }
  const twin = real.find(({ name }, i) => real.findIndex((other) => other.name === name) < i);
  if (twin !== undefined) refuse(`lists "${twin.name}" twice`);
  const labelOf = (entry: Entry): number => (entry.ignore ? VOID : real.indexOf(entry));
  return {
    classes: coloured(real),
    values: [
      [VOID, VOID],
      ...entries.flatMap((entry) => {
        const value = entry.value ?? (entry.ignore ? undefined : real.indexOf(entry));
        return value === undefined ? [] : [[value, labelOf(entry)] as const];
      }),
    ],
    colours: [
      [VOID_COLOUR, VOID],
      ...entries.flatMap((entry) => (entry.colour ? [[keyOf(entry.colour), labelOf(entry)] as const] : [])),
    ],
  };
}

/** Classes for masks that come without a list: one for each number up to `most`, in the colours of a palette if any. */
export function numberedClasses(most: number, palette: Uint8Array | undefined): ListedClasses {
  const entries = Array.from({ length: most + 1 }, (_, label) => {
    const [r, g, b] = palette?.subarray(3 * label, 3 * label + 3) ?? [];
    const colour = b === undefined ? undefined : ([r as number, g as number, b] as const);
    return { name: `class ${label}`, colour };
  });
  return {
    classes: coloured(entries),
    values: [[VOID, VOID], ...entries.map((_, label) => [label, label] as const)],
    colours: [],
  };
}

/** Classes in their colours where those can be used, and in free ones otherwise. */
function coloured(entries: readonly Pick<Entry, "name" | "colour">[]): PaintClass[] {
  const classes: PaintClass[] = [];
  const given = entries.flatMap(({ colour }) => (colour ? [colour] : []));
  for (const { name, colour } of entries) {
    const taken = classes.map((one) => one.colour);
    const isFree = colour !== undefined && isClassColour(colour) && !taken.some((one) => isSameColour(one, colour));
    classes.push({ id: newId(), name, colour: isFree ? colour : freeColour([...taken, ...given]) });
  }
  return classes;
}

function entryOf(value: unknown): Entry | undefined {
  if (typeof value === "string") return entryOf({ name: value });
  if (typeof value !== "object" || value === null) return undefined;
  const { name, color, colour = color, value: number, ignore } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || name.trim() === "") return undefined;
  const rgb = colour === undefined ? undefined : colourOf(colour);
  if (colour !== undefined && rgb === undefined) return undefined;
  if (number !== undefined && !Number.isInteger(number)) return undefined;
  return { name: name.trim(), colour: rgb, value: number as number | undefined, ignore: ignore === true };
}

/** A colour as [r, g, b] or "#rrggbb". */
function colourOf(value: unknown): PaintClass["colour"] | undefined {
  if (typeof value === "string" && /^#?[0-9a-f]{6}$/i.test(value)) {
    const key = Number.parseInt(value.replace("#", ""), 16);
    return [key >> 16, (key >> 8) & 255, key & 255];
  }
  const isByte = (level: unknown): boolean => Number.isInteger(level) && Number(level) >= 0 && Number(level) <= 255;
  if (!Array.isArray(value) || value.length !== 3 || !value.every(isByte)) return undefined;
  return value as unknown as PaintClass["colour"];
}

const keyOf = ([r, g, b]: PaintClass["colour"]): number => (r << 16) | (g << 8) | b;
