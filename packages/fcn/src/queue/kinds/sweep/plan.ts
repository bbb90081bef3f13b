import { checkValue, invalidArgument, rules, showValue } from "@fcn/tensor/internal";
import { createRandom, type RandomSource } from "../../../data/random.js";
import { entryOf } from "../../../models/registry.js";
import { chooseFrom } from "../../../options/closest.js";
import { SETTINGS } from "../../../training/settings/run.js";

/** Numbers from which trials are drawn, evenly in the logarithm unless `scale` is linear. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly scale?: "log" | "linear";
}

/** Values of a setting: those of a list, or numbers of a range. */
export type AxisValues<Value = unknown> = readonly Value[] | Range;

/** The settings that differ between trials. */
export type Axes = Readonly<Record<string, AxisValues>>;

/** Settings of a trial by their names in code. */
export type Settings = Readonly<Record<string, unknown>>;

/** A combination of settings. */
export interface Trial {
  /** Tells the settings; the name of the trial's folder. */
  readonly name: string;
  readonly settings: Settings;
}

/** A random search. */
export interface RandomSearch {
  readonly trials: number;
  /** Fixes what is drawn. Default 0. */
  readonly seed?: number;
}

/** More trials than this are a mistake in an axis rather than a plan. */
const MOST_TRIALS = 1000;

/** The settings that may differ between trials: those that decide the course of a run on given data. */
export const AXES: readonly string[] = Object.entries(SETTINGS).flatMap(([name, { decides }]) =>
  decides === false || name === "data" ? [] : [name],
);

export const isRange = (values: AxisValues): values is Range => !Array.isArray(values);

/** All combinations of the axes, or some that are drawn. Throws `invalid-argument` for axes that make none. */
export function planTrials(axes: Axes, random?: RandomSearch): Trial[] {
  for (const [name, values] of Object.entries(axes)) checkAxis(name, values, random !== undefined);
  const trials = random ? draw(axes, random) : grid(axes);
  if (trials.length > 1) return named(trials);
  throw invalidArgument("sweep: there is only one trial, since no setting has several values", {
    code: "give a setting several values, such as axes: { learningRate: [1e-2, 1e-3] }",
    command: "give a setting several values, such as --lr 1e-2,1e-3",
  });
}

function checkAxis(name: string, values: AxisValues, isRandom: boolean): void {
  if (!AXES.includes(name)) {
    throw invalidArgument(`sweep: there is no setting ${JSON.stringify(name)} that trials could differ in`, {
      code: chooseFrom(name, AXES, "the type TrainRunOptions"),
      command: chooseFrom(name, AXES, "fcn sweep --help"),
    });
  }
  if (!isRange(values)) {
    if (values.length === 0) throw invalidArgument(`sweep: axes.${name} is []`, "give it at least one value");
    for (const value of values) checkSetting(name, value);
    return;
  }
  const { from, to, scale = "log" } = values;
  const text = `${from}..${to}`;
  if (!isRandom) {
    throw invalidArgument(`sweep: ${name} is the range ${text}, of which a grid has no values`, {
      code: "list the values, or draw some: random: { trials: 20 }",
      command: "list the values with commas between them, or draw some: --random 20",
    });
  }
  for (const end of [from, to]) {
    if (typeof end !== "number")
      throw invalidArgument(`sweep: the range ${name} has the end ${showValue(end)}`, "give numbers");
    checkSetting(name, end);
  }
  if (from > to) throw invalidArgument(`sweep: ${name} is the range ${text}`, "begin with the smaller number");
  if (scale === "log" && from <= 0) {
    throw invalidArgument(`sweep: ${name} is the range ${text}, and 0 has no logarithm`, {
      code: 'begin above 0, or draw evenly: scale: "linear"',
      command: `begin above 0, or draw evenly: ${text}:linear`,
    });
  }
}

/** Throws `invalid-argument` for a value that the setting cannot have, as far as that does not depend on the data. */
export function checkSetting(name: string, value: unknown): void {
  if (name === "model" && typeof value === "string") entryOf(value);
  if (name === "batchSize" && value === "auto") {
    throw invalidArgument('sweep: batchSize is "auto", which is another number on each machine', {
      code: "give a number: batchSize: 4",
      command: "give a number: --batch 4",
    });
  }
  const rule = SETTINGS[name]?.rule;
  if (rule) checkValue("sweep", name, value, rule);
}

function grid(axes: Axes): Settings[] {
  const lists = Object.entries(axes) as [string, readonly unknown[]][];
  const count = lists.reduce((product, [, values]) => product * values.length, 1);
  if (count > MOST_TRIALS) {
    throw invalidArgument(`sweep: the axes have ${count} combinations, and at most ${MOST_TRIALS} are trained`, {
      code: "list fewer values, or draw some: random: { trials: 20 }",
      command: "list fewer values, or draw some: --random 20",
    });
  }
  return lists.reduce<Settings[]>(
    (all, [name, values]) => all.flatMap((settings) => values.map((value) => ({ ...settings, [name]: value }))),
    [{}],
  );
}

/** Draws a trial so often at most, for each that is wanted, if it is one that there is already. */
const MOST_DRAWS = 100;

function draw(axes: Axes, { trials, seed = 0 }: RandomSearch): Settings[] {
  checkValue("sweep", "random.trials", trials, rules.whole(2, MOST_TRIALS));
  checkValue("sweep", "random.seed", seed, rules.seed);
  const random = createRandom(seed);
  const drawn = new Map<string, Settings>();
  for (let i = 0; i < trials * MOST_DRAWS && drawn.size < trials; i++) {
    const settings = Object.fromEntries(
      Object.entries(axes).map(([name, values]) => [name, drawOne(name, values, random)]),
    );
    drawn.set(JSON.stringify(settings), settings);
  }
  if (drawn.size === trials) return [...drawn.values()];
  throw invalidArgument(`sweep: the axes have no ${trials} combinations to draw, but about ${drawn.size}`, {
    code: "ask for fewer trials, give more values, or leave random out to train all",
    command: "ask for fewer trials, give more values, or leave --random out to train all",
  });
}

/** Digits of a number that is drawn, so that the name of a trial tells it whole. */
const DIGITS = 3;

function drawOne(name: string, values: AxisValues, random: RandomSource): unknown {
  if (!isRange(values)) return values[Math.floor(random() * values.length)];
  const { from, to, scale = "log" } = values;
  const part = random();
  const value = scale === "log" ? from * (to / from) ** part : from + (to - from) * part;
  const rounded = takesWhole(name) ? Math.round(value) : Number(value.toPrecision(DIGITS));
  return Math.min(Math.max(rounded, from), to);
}

function takesWhole(name: string): boolean {
  const { rule, reader } = SETTINGS[name] ?? {};
  const what = rule?.what ?? reader?.what ?? "";
  return /whole number/.test(what);
}

const LONGEST_NAME = 100;

function named(trials: readonly Settings[]): Trial[] {
  const taken = new Set<string>();
  return trials.map((settings) => {
    const parts = Object.entries(settings).map(([name, value]) => `${labelOf(name)}=${textOf(value)}`);
    const base = parts
      .join(",")
      .replace(/[^\w.,=+-]/g, "_")
      .slice(0, LONGEST_NAME);
    let name = base;
    // Some file systems take letters of either case for the same.
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${base}-${n}`;
    taken.add(name.toLowerCase());
    return { name, settings };
  });
}

/** A setting as the command line calls it. */
export const labelOf = (name: string): string => /^--([\w-]+)/.exec(SETTINGS[name]?.flag ?? "")?.[1] ?? name;

/** A value of a setting as a name or a table shows it. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join("x");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name}=${textOf(part)}`)
    .join(",");
}
