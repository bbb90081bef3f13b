import type { AnyTable, Flag } from "../../options/option.js";
import type { Reader } from "../../options/rules.js";
import type { AxisValues, Settings } from "../../queue/kinds/sweep/plan.js";
import { AXES, isRange } from "../../queue/kinds/sweep/plan.js";
import { RUN, SETTINGS } from "../../training/settings/run.js";

/** What was given for a setting: several values, a range, or one value. */
class Listed {
  constructor(readonly values: AxisValues) {}
}

/** Settings whose text has commas of its own. */
const WITH_COMMAS = ["modelOptions", "heads", "multipliers"];

type Row = AnyTable[string];

/** The ends of a range, and whether it is one of even numbers. */
const RANGE = /^(.+?)\.\.(.+?)(:linear)?$/;

/** Reads values with commas between them, or a range of numbers. */
function listed(one: Partial<Reader<unknown>>): Reader<Listed> {
  const { what = "text", parse = (text) => text, remedy, names } = one;
  const read = (text: string): unknown => (text === "" ? undefined : parse(text));
  const rangeOf = (text: string): Listed | undefined => {
    const [, low = "", high = "", isLinear] = RANGE.exec(text) ?? [];
    const [from, to] = [read(low), read(high)];
    if (typeof from !== "number" || typeof to !== "number") return undefined;
    return new Listed({ from, to, ...(isLinear && { scale: "linear" }) });
  };
  const parts = (text: string): string[] => text.split(",").map((part) => part.trim());
  return {
    what: `${what}; or several with commas between them`,
    parse: (text) => {
      const values = parts(text).map(read);
      return rangeOf(text) ?? (values.includes(undefined) ? undefined : new Listed(values));
    },
    remedy: (text) => {
      const wrong = parts(text).find((part) => read(part) === undefined) ?? text;
      const use = remedy?.(wrong) ?? `use ${what}`;
      return wrong === text ? use : `for ${JSON.stringify(wrong)}, ${use}`;
    },
    ...(names && { names }),
  };
}

const takesValue = ({ flag }: Partial<Flag<unknown>>): boolean => /[<[]/.test(flag ?? "");

function listedRow(name: string, row: Row): Row {
  const { shortcut: _, ...own } = row;
  if (!AXES.includes(name) || WITH_COMMAS.includes(name) || !takesValue(row)) return own as Row;
  return { ...own, reader: listed(row.reader ?? row.rule ?? {}) } as Row;
}

const WIDTH = RUN.modelOptions.shortcut;

/** The settings of trials, of which most take several values. */
export const LISTED: AnyTable = {
  ...Object.fromEntries(Object.entries(SETTINGS).map(([name, row]) => [name, listedRow(name, row)])),
  width: { ...WIDTH, reader: listed(WIDTH.reader) },
};

/** The settings that all trials share, and those in which they differ. */
export function apart(given: Settings): { readonly shared: Settings; readonly axes: Record<string, AxisValues> } {
  const [shared, axes]: [Record<string, unknown>, Record<string, AxisValues>] = [{}, {}];
  for (const [name, value] of Object.entries(given)) {
    if (!(value instanceof Listed)) shared[name] = value;
    else if (isRange(value.values) || value.values.length > 1) axes[name] = value.values;
    else shared[name] = value.values[0];
  }
  const { width, modelOptions, ...rest } = shared;
  const { width: widths, ...others } = axes;
  const withWidth = (of: unknown): object => ({ ...(modelOptions as object), ...(of as object) });
  if (widths === undefined) {
    const options = withWidth(width);
    return { axes, shared: { ...rest, ...(Object.keys(options).length > 0 && { modelOptions: options }) } };
  }
  return { shared: rest, axes: { ...others, modelOptions: (widths as readonly unknown[]).map(withWidth) } };
}
