import { showValue } from "@fcn/tensor/internal";
import { type Command, Option } from "commander";
import { readJson } from "../../data/files/files.js";
import { OPEN_OPTIONS } from "../../data/open/openOptions.js";
import { chooseFrom } from "../../options/closest.js";
import type { AnyTable, Flag } from "../../options/option.js";
import type { Reader } from "../../options/rules.js";
import { FOLDS, SETTINGS } from "../../training/settings/run.js";
import { UsageError } from "../output/errors.js";
import { addFlags } from "./addFlags.js";

/** `name=value` of a flag that may be repeated. Only what looks like an object or a list is JSON. */
const entries: Reader<readonly Entry[]> = {
  what: "an option and its value, such as lr=0.01",
  parse: (text, before = []) => {
    const [, name, value] = /^([A-Za-z][\w-]*)=(.+)$/s.exec(text) ?? [];
    return name === undefined || value === undefined ? undefined : [...before, [name, fromText(value)]];
  },
};

/** The flags that give other options. */
const CONFIG = {
  config: {
    flag: "--config <file>",
    help: "options from a JSON object, by their names here or in code, such as the config.json in the folder of a run; paths in it are relative to the working folder, and flags and --set win over it",
  },
  set: {
    flag: "--set <name=value>",
    help: "an option by its name here or in code, over --config; may be repeated, and flags win over it",
    reader: entries,
  },
} as const;

type Entry = readonly [name: string, value: unknown];

function fromText(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Where an option goes: to a flag, or, without one, to the options by its own name. */
interface Place {
  readonly name: string;
  readonly row: AnyTable[string];
  /** The flag of the row or its shortcut. */
  readonly of: Partial<Flag<unknown>>;
  /** What commander calls the flag. */
  readonly attribute: string | undefined;
}

const attributeOf = (flag: string | undefined): string | undefined => flag && new Option(flag).attributeName();
const longName = (flag: string): string => new Option(flag).name();
const camelCase = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The places of a table by all names that an option has. */
function placesOf(table: AnyTable, { onlyFlags = false } = {}): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [name, row] of Object.entries(table)) {
    const { flag, shortcut } = row;
    if (onlyFlags && flag === undefined) continue;
    const main = { name, row, of: row, attribute: attributeOf(flag) };
    for (const known of [name, main.attribute]) if (known !== undefined) places.set(known, main);
    const short = attributeOf(shortcut?.flag);
    if (shortcut && short) places.set(short, { name, row, of: shortcut, attribute: short });
  }
  return places;
}

const OPEN = placesOf(OPEN_OPTIONS);
const TOP = new Map([...placesOf(OPEN_OPTIONS, { onlyFlags: true }), ...placesOf({ ...SETTINGS, ...FOLDS })]);

/** The names that the help and an error show. */
const namesOf = (places: ReadonlyMap<string, Place>): string[] => [
  ...new Set([...places.values()].flatMap(({ name, of }) => (of.flag ? [name, longName(of.flag)] : [name]))),
];

/** Of these only one can be given, so that one displaces the other of a weaker source. */
const RIVALS: readonly string[] = ["steps", "epochs"];

/** Options of a command line that no flag gives. */
export interface Further {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly open: Readonly<Record<string, unknown>>;
}

const FURTHER = new WeakMap<Command, Further>();

/** What `--config` and `--set` give besides flags. */
export const furtherOptions = (command: Command): Further => FURTHER.get(command) ?? { settings: {}, open: {} };

/**
 * Adds `--config` and `--set` to `fcn train`, before the flags that they may give. What they say becomes values of
 * these flags by the same readers; a flag of the command line wins, then `--set`, then `--config`.
 */
export function addConfigFlags(command: Command): void {
  addFlags(command, CONFIG);
  command.hook("preAction", async () => {
    const { config, set = [] } = command.opts<{ config?: string; set?: readonly Entry[] }>();
    const further = { settings: {}, open: {} };
    apply(command, "--set", set, further);
    if (config !== undefined) apply(command, config, await entriesOf(config), further);
    FURTHER.set(command, further);
  });
}

async function entriesOf(file: string): Promise<Entry[]> {
  const found = await readJson(file);
  const own = objectEntries(found);
  if (own) return own;
  throw new UsageError(`${file} holds ${showValue(found)}, which is no JSON object`, 'write { "lr": 0.01, ... }');
}

type Values = Record<string, unknown>;

/** Gives the options of one source to the flags that no stronger source has given; of equal names the last counts. */
function apply(command: Command, where: string, given: readonly Entry[], further: { settings: Values; open: Values }) {
  const isGiven = (attribute: string | undefined): boolean => command.getOptionValue(attribute ?? "") !== undefined;
  const taken = new Set(command.options.map((option) => option.attributeName()).filter(isGiven));
  if (RIVALS.some((name) => taken.has(name))) for (const name of RIVALS) taken.add(name);
  const before = { settings: { ...further.settings }, open: { ...further.open } };
  const give = (place: Place, value: unknown, part: keyof Further): void => {
    const { name, row, of, attribute } = place;
    if (attribute === undefined) further[part][name] = before[part][name] ?? value;
    else if (row.shortcut && of === row) command.setOptionValue(attribute, joined(command, place, value));
    else if (!taken.has(attribute)) command.setOptionValue(attribute, value);
  };
  for (const [key, value] of given) {
    if (key === "open") {
      for (const [name, own] of objectEntries(value) ?? refuse(where, key, value, "an object of options")) {
        const place = placeOf(OPEN, where, name);
        give(place, read(place, where, name, own), "open");
      }
      continue;
    }
    const place = placeOf(TOP, where, key);
    give(place, read(place, where, key, value), "settings");
  }
}

const objectEntries = (value: unknown): Entry[] | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;

/** The value of a row with two flags, without what stronger sources say of its parts. */
function joined(command: Command, { row, attribute = "" }: Place, value: unknown): unknown {
  const stronger = command.getOptionValue(attribute) as object | undefined;
  const part = command.getOptionValue(attributeOf(row.shortcut?.flag) ?? "") as object | undefined;
  const hidden = Object.keys(part ?? {});
  const own = Object.entries(value as object).filter(([name]) => !hidden.includes(name));
  return { ...Object.fromEntries(own), ...stronger };
}

function placeOf(places: ReadonlyMap<string, Place>, where: string, key: string): Place {
  const place = places.get(camelCase(key));
  if (place) return place;
  throw new UsageError(
    `${where}: there is no option ${JSON.stringify(key)}`,
    chooseFrom(key, namesOf(places), "fcn train --help"),
  );
}

/** The value of an option as code has it: text and numbers are read as the flag reads them. */
function read({ row, of }: Place, where: string, key: string, value: unknown): unknown {
  const { rule } = row;
  const isOptional = of.flag?.includes("[") === true;
  if (isOptional && typeof value === "boolean") return value;
  if (of.flag !== undefined && !of.flag.includes("<") && !isOptional) {
    return typeof value === "boolean" ? value : refuse(where, key, value, "true or false");
  }
  const reader: Partial<Reader<unknown>> | undefined = of.reader ?? (of === row ? rule : undefined);
  const isObject = typeof value === "object" && value !== null;
  if (!isObject && reader?.parse && typeof value !== "boolean") {
    const text = String(value);
    return reader.parse(text) ?? refuse(where, key, value, reader.what, reader.remedy?.(text));
  }
  // A value in the form of code: its rule judges it here, and otherwise the training does.
  const isCode = rule ? rule.holds(value) : of.flag === undefined || (isObject && of === row && reader !== undefined);
  if (isCode || (typeof value === "string" && !reader)) return value;
  return refuse(where, key, value, reader?.what ?? rule?.what);
}

function refuse(where: string, key: string, value: unknown, what = "text", remedy = `use ${what}`): never {
  throw new UsageError(`${where}: ${key} is ${showValue(value)}`, remedy);
}
