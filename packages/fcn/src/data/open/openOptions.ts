import { type AnyTable, checkGiven, type OptionTable, valuesOf } from "../../options/option.js";
import { number, oneOf } from "../../options/rules.js";
import { fileError } from "../files/errors.js";
import type { SplitOptions } from "../folder/splits.js";
import { LAYOUT_ROWS, LAYOUTS, type LayoutName, type LayoutOptions } from "../layouts/index.js";
import type { RangeOptions } from "./imageRange.js";
import type { InspectOptions } from "./inspectAll.js";
import { RANGE } from "./range.js";

export interface CommonOptions extends SplitOptions, RangeOptions {
  /** Skips recognition, for a folder that fits several layouts. */
  readonly layout?: LayoutName;
  /**
   * Inspects all files, and leaves out of their splits the images whose files are unreadable, differ in size, or
   * contain labels without a class; `leftOut` and the remarks list them. Problems of the folder itself remain. Throws
   * if a split becomes empty. Default false: such images fail when loaded, and in the check.
   */
  readonly skipBad?: boolean;
}

/** The common options and those of every layout; an option of another layout than the folder's is refused. */
export type OpenOptions = CommonOptions & InspectOptions & LayoutOptions;

const LAYOUT_NAMES = LAYOUT_ROWS.map(([name]) => name);
const isPart = (value: number): boolean => value >= 0 && value < 1;

/** The options shared by all layouts. */
const COMMON: OptionTable<CommonOptions> = {
  ...RANGE,
  layout: {
    rule: oneOf(LAYOUT_NAMES),
    flag: "--layout <name>",
    help: `layout of the folder: ${LAYOUT_NAMES.join(", ")}`,
    fallbackText: "recognised from its contents",
    decides: "trainingImages",
  },
  skipBad: {
    flag: "--skip-bad",
    help: "leave out images that cannot be used, with their masks, and list them",
    decides: "leftOut",
  },
  validation: {
    rule: number("a part of the images: a number from 0 to below 1, such as 0.2", isPart),
    decides: "trainingImages",
  },
  seed: { rule: number("a whole number", Number.isSafeInteger), decides: "trainingImages" },
};

/** Every option of {@link open}, in the order of the command's help. */
export const OPEN_OPTIONS: AnyTable = Object.assign({}, COMMON, ...LAYOUT_ROWS.map(([, { options }]) => options));

/** The options that name a folder, and the folders. */
export const foldersIn = (options: OpenOptions): [name: string, folder: string][] =>
  Object.entries(options).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === "string" && OPEN_OPTIONS[entry[0]]?.flag?.endsWith("<dir>") === true,
  );

/** Throws `invalid-argument` for an option that is not valid. */
export const checkOptions = (options: OpenOptions): void => checkGiven("open", OPEN_OPTIONS, options);

/** Throws for an option of another layout, because it would have no effect. */
export function checkOwner(root: string, name: LayoutName, options: OpenOptions): void {
  for (const [owner, layout] of LAYOUT_ROWS) {
    const given = Object.entries(layout.options).filter(
      ([option]) => options[option as keyof OpenOptions] !== undefined,
    );
    const stray = given.find(([option]) => !(option in LAYOUTS[name].options));
    if (stray === undefined) continue;
    const [option, { flag }] = stray;
    const problem = `its layout is ${name}, but ${option} (${flag?.split(" ")[0]}) is an option of the layout ${owner}`;
    throw fileError("invalid-argument", root, problem, "leave the option out, or name a folder of that layout");
  }
}

/** The options that change images or labels, but neither their names nor the classes. */
export const readingOf = (options: OpenOptions): Record<string, unknown> =>
  valuesOf(OPEN_OPTIONS, ({ decides }, name) =>
    decides === undefined ? options[name as keyof OpenOptions] : undefined,
  );
