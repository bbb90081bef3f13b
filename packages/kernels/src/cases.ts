import type { Nd } from "./nd.js";
import type { Capabilities, Plan } from "./plan.js";

/**
 * What a reader may choose for an op, by name: a number, a switch, or one of several names. The value here, or the
 * first name, is what a choice begins with.
 */
export type Choices = Readonly<Record<string, number | boolean | readonly string[]>>;

/** What was chosen. */
export type SettingsOf<C extends Choices> = {
  readonly [K in keyof C]: C[K] extends number
    ? number
    : C[K] extends boolean
      ? boolean
      : C[K] extends readonly (infer Name)[]
        ? Name
        : never;
};

/** A tensor that plans read or write. */
export interface OperandCase {
  /** In the logical order. */
  readonly shape: readonly number[];
  /** The dimensions from the outermost to the innermost in memory. Default: row-major. */
  readonly order?: readonly number[];
  readonly dtype?: "int32";
  /**
   * What it holds before a plan runs, where that matters: floats of a normal distribution, floats between 0.1 and 0.9,
   * or whole numbers from 0 up to a bound, which is excluded.
   */
  readonly given?: "normal" | "between" | { readonly below: number };
}

/** A plan of an op. Its operands are those of the case, in part under other names. */
export interface PlanCase<S> {
  /** What it computes: `forward`, `gradient of x`. */
  readonly name: string;
  readonly plan: (settings: S, caps: Capabilities) => Plan | undefined;
  /** The operands of the case by those of the plan, where they differ. */
  readonly operands?: Readonly<Record<string, string>>;
  /** What it writes, in float64 and the logical order, from what is given. */
  readonly expected?: (settings: S, given: Readonly<Record<string, Nd>>) => Readonly<Record<string, Nd>>;
  /** The gradients that it writes, and the operands whose gradients they are, for a case without `expected`. */
  readonly gradients?: Readonly<Record<string, string>>;
}

/** How an op is shown and tried: what to choose, its plans, and what they compute. The first plan is the op itself. */
export interface OpCase<S> {
  /** The public function. */
  readonly name: string;
  readonly choices: Choices;
  /** Why no plan can be made of these settings, if that is so. */
  readonly problem?: (settings: S) => string | undefined;
  readonly operands: (settings: S) => Readonly<Record<string, OperandCase>>;
  /** Its result and the gradient of that, among the operands. Default: y and dy. */
  readonly result?: readonly [value: string, gradient: string];
  /** Products of the first plan that are added up, where that is what it does. */
  readonly multiplyAdds?: (settings: S) => number;
  /** Like the settings, but so small that the reference takes a moment. */
  readonly small: (settings: S) => S;
  readonly plans: readonly PlanCase<S>[];
}

/** An op case whose settings are not known. */
export type AnyOpCase = OpCase<Readonly<Record<string, number | boolean | string>>>;

/** A case, whose settings are those of its choices. */
export const opCase = <const C extends Choices>(own: OpCase<SettingsOf<C>> & { readonly choices: C }): AnyOpCase =>
  own as unknown as AnyOpCase;

/** Memory format of images: N, H, W, C. */
export const CHANNELS_LAST = [0, 2, 3, 1];

/** The settings with some numbers no larger than these. */
export function atMost<S>(settings: S, limits: Readonly<Partial<Record<keyof S, number>>>): S {
  const limited = Object.entries(limits).map(([name, limit]) => {
    const value = settings[name as keyof S];
    return [name, Math.min(value as number, limit as number)];
  });
  return { ...settings, ...Object.fromEntries(limited) };
}
