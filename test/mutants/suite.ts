/**
 * Stands in for vitest where test files run again and again in one process on the devices that they opened once: the
 * tests are a list, and whoever imports this decides which of them run.
 */
import { expect, vi } from "vitest-itself";

export { expect, vi };

type Body = (...args: never[]) => unknown;

export interface Test {
  readonly name: string;
  readonly file: string;
  /** The hooks of its file and of what it stands in, from the outside. */
  readonly hooks: Hooks[];
  readonly run: () => unknown;
}

interface Hooks {
  readonly before: Body[];
  readonly after: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  ready: boolean;
}

const newHooks = (): Hooks => ({ before: [], after: [], beforeEach: [], afterEach: [], ready: false });

export const tests: Test[] = [];
let file = "";
let open: { name: string; hooks: Hooks }[] = [];

/** Loads a file of tests, whose tests are then those of `name`. */
export async function collect(name: string, load: () => Promise<unknown>): Promise<void> {
  file = name;
  open = [{ name: "", hooks: newHooks() }];
  await load();
}

const argumentsOf = (row: unknown): unknown[] => (Array.isArray(row) ? row : [row]);

export const describe = Object.assign(
  (name: string, body: () => unknown) => {
    open.push({ name, hooks: newHooks() });
    body();
    open.pop();
  },
  {
    each: (rows: readonly unknown[]) => (name: string, body: Body) => {
      for (const [i, row] of rows.entries()) describe(`${name} ${i}`, () => body(...(argumentsOf(row) as never[])));
    },
  },
);

const add = (name: string, run: () => unknown): void => {
  const names = [...open.map((part) => part.name), name].filter((part) => part !== "");
  tests.push({ name: names.join(" > "), file, hooks: open.map(({ hooks }) => hooks), run });
};

export const it = Object.assign(add, {
  each: (rows: readonly unknown[]) => (name: string, body: Body) => {
    for (const [i, row] of rows.entries()) add(`${name} ${i}`, () => body(...(argumentsOf(row) as never[])));
  },
  runIf: (condition: unknown) => (condition ? add : () => undefined),
});

const hook = (kind: Exclude<keyof Hooks, "ready">) => (body: Body) => void open.at(-1)!.hooks[kind].push(body);
export const beforeAll = hook("before");
export const afterAll = hook("after");
export const beforeEach = hook("beforeEach");
export const afterEach = hook("afterEach");

/**
 * Runs one test with the hooks before it; those of a file or group run once and are not undone. Throws where it fails.
 */
export async function runTest({ hooks, run }: Test): Promise<void> {
  for (const part of hooks) {
    if (part.ready) continue;
    for (const body of part.before) await body();
    part.ready = true;
  }
  for (const part of hooks) for (const body of part.beforeEach) await body();
  try {
    await run();
  } finally {
    for (const part of hooks) for (const body of part.afterEach) await body();
  }
}
