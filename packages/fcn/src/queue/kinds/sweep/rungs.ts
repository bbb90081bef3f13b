import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import type { ToldError } from "../../../data/files/errors.js";

/** Successive halving: all trials are trained for a while, the best of them further, the best of these further. */
export interface Halving {
  /** Of so many trials, one is trained further, for as many times the steps. */
  readonly eta: number;
  /** Steps until the first look. Default: so many that one trial remains for the whole length. */
  readonly minSteps?: number | undefined;
}

/** The steps to which a rung trains; null for the whole run. */
export type Budget = number | null;

/** Trials, by their numbers, that are trained to a budget. */
export interface Rung {
  readonly budget: Budget;
  readonly trials: readonly number[];
}

/** What became of an item: of a fold of a trial, trained to the budget of a rung. */
export interface Outcome {
  readonly item: number;
  /** The best mean IU up to the budget; null if it is not a number, or there was no validation. */
  readonly meanIU: number | null;
  readonly steps: number;
  readonly seconds: number;
  /** Why there is no outcome. */
  readonly error?: ToldError;
}

/** How trials are looked at and promoted. */
export interface Schedule {
  /** The last one is null. */
  readonly budgets: readonly Budget[];
  readonly eta: number;
  /** Runs a trial. */
  readonly runs: number;
}

/** The budgets of so many trials of so many steps. */
export function budgetsOf(trials: number, steps: number | undefined, halving: Halving | undefined): Budget[] {
  if (halving === undefined) return [null];
  const { eta, minSteps } = halving;
  checkValue("sweep", "halving.eta", eta, rules.whole(2));
  if (steps === undefined) {
    throw invalidArgument("sweep: halving counts in steps, and their number is not given", {
      code: "give steps, the same for all trials, instead of epochs",
      command: "add --steps, with one number for all trials, instead of --epochs",
    });
  }
  if (minSteps !== undefined) {
    checkValue("sweep", "halving.minSteps", minSteps, rules.whole(1, steps));
    const budgets: Budget[] = [];
    for (let budget = minSteps; budget < steps; budget *= eta) budgets.push(budget);
    return [...budgets, null];
  }
  const budgets: number[] = [];
  let [left, budget] = [trials, steps];
  while (left > 1) {
    left = promotions(left, eta);
    budget = Math.ceil(budget / eta);
    if (budget < (budgets[0] ?? steps)) budgets.unshift(budget);
  }
  return [...budgets, null];
}

/** How many of so many trials are trained further. */
const promotions = (trials: number, eta: number): number => Math.max(1, Math.floor(trials / eta));

/** The numbers of items of all rungs. */
export const itemsOf = (rungs: readonly Rung[], { runs }: Pick<Schedule, "runs">): number =>
  rungs.reduce((sum, { trials }) => sum + trials.length * runs, 0);

/** Which trial and which of its runs an item is, and in which rung. */
export function placeOf(item: number, rungs: readonly Rung[], { runs }: Pick<Schedule, "runs">) {
  let first = 0;
  for (const [rung, { trials, budget }] of rungs.entries()) {
    const index = Math.floor((item - first) / runs);
    if (index < trials.length) return { rung, budget, trial: trials[index] as number, run: (item - first) % runs };
    first += trials.length * runs;
  }
  return undefined;
}

/** What the runs of a trial came to in a rung. */
export interface Standing {
  readonly trial: number;
  /** The number of its last rung, from 0. */
  readonly rung: number;
  /** By run; shorter if some are not done. */
  readonly outcomes: readonly Outcome[];
  readonly error: ToldError | undefined;
  /** The mean over the runs; NaN if one of them has none. */
  readonly score: number;
}

/** The trials in their last rungs, best first: those that failed last, then by rung, score and number. */
export function standings(rungs: readonly Rung[], outcomes: readonly Outcome[], { runs }: Schedule): Standing[] {
  const byTrial = new Map<number, { rung: number; outcomes: Outcome[] }>();
  for (const outcome of [...outcomes].sort((a, b) => a.item - b.item)) {
    const place = placeOf(outcome.item, rungs, { runs });
    if (place === undefined) continue;
    const known = byTrial.get(place.trial);
    if (known?.rung === place.rung) known.outcomes.push(outcome);
    else byTrial.set(place.trial, { rung: place.rung, outcomes: [outcome] });
  }
  return Array.from(byTrial, ([trial, { rung, outcomes: own }]): Standing => {
    const error = own.find((outcome) => outcome.error)?.error;
    const isWhole = error === undefined && own.length === runs;
    const score = isWhole ? own.reduce((sum, { meanIU }) => sum + (meanIU ?? Number.NaN), 0) / runs : Number.NaN;
    return { trial, rung, outcomes: own, error, score };
  }).sort(better);
}

const better = (a: Standing, b: Standing): number =>
  Number(a.error !== undefined) - Number(b.error !== undefined) ||
  b.rung - a.rung ||
  Number(Number.isNaN(a.score)) - Number(Number.isNaN(b.score)) ||
  b.score - a.score ||
  0 ||
  a.trial - b.trial;

/** The rung that follows when all items are done, or undefined if the sweep is over. */
export function nextRung(rungs: readonly Rung[], outcomes: readonly Outcome[], schedule: Schedule): Rung | undefined {
  const last = rungs.at(-1);
  if (last === undefined || last.budget === null) return undefined;
  const { budgets, eta } = schedule;
  const sound = standings(rungs, outcomes, schedule).filter(
    ({ error, rung }) => error === undefined && rung === rungs.length - 1,
  );
  const best = sound.slice(0, promotions(last.trials.length, eta)).map(({ trial }) => trial);
  if (best.length === 0) return undefined;
  // A single trial has no one to be compared with.
  const budget = best.length === 1 ? null : (budgets[budgets.indexOf(last.budget) + 1] ?? null);
  return { budget, trials: best.sort((a, b) => a - b) };
}
