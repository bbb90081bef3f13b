import { access } from "node:fs/promises";
import { join } from "node:path";
import { TensorError } from "@fcn/tensor";
import type { Command } from "commander";
import { chooseFrom } from "../../options/closest.js";
import { createQuietBar } from "../../progress/quietBar.js";
import { formatTable } from "../../report/table.js";
import { cacheFolder } from "../../weights/registry/cache.js";
import { sizeText } from "../../weights/registry/check.js";
import type { WeightsEntry } from "../../weights/registry/entry.js";
import { type FetchedWeights, type FetchOptions, fetchWeights } from "../../weights/registry/fetchWeights.js";
import { describeWeights, listWeights } from "../../weights/registry/registry.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { offerOperands } from "../flags/choices.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

const OPERAND = ["<name>", "the name of published weights, as fcn weights list shows it"] as const;
const MIB = 2 ** 20;

/** Adds the commands of `fcn weights`. */
export function setUp(weights: Command): void {
  const list = weights.command("list").description("list published weights, and which of them are on this machine");
  addFlags(list, JSON_OUTPUT).action(runList);
  const fetch = weights
    .command("fetch")
    .description("download published weights and print their path; what was fetched before is only checked");
  addFlags(fetch, JSON_OUTPUT)
    .argument(...OPERAND)
    .action(runFetch);
  const path = weights
    .command("path")
    .description("print the path of weights that were fetched; the exit code is 1 if they are not there");
  addFlags(path, JSON_OUTPUT)
    .argument(...OPERAND)
    .action(runPath);
  for (const command of [fetch, path]) offerOperands(command, listWeights());
}

interface Listed extends WeightsEntry {
  /** Where the file lies once it is fetched. */
  readonly path: string;
  readonly isCached: boolean;
}

async function runList(given: object): Promise<void> {
  const folder = await cacheFolder();
  const listed = listWeights().map(async (name): Promise<Listed> => {
    const entry = describeWeights(name);
    const path = join(folder, entry.file);
    return { ...entry, path, isCached: await exists(path) };
  });
  await printResult(
    await Promise.all(listed),
    (all) => `${tableOf(all)}\n\nin ${folder}\n`,
    givenBy(JSON_OUTPUT, given).json,
  );
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const tableOf = (all: readonly Listed[]): string =>
  formatTable({
    header: ["weights", "model", "of the", "classes", "size", "here"],
    rows: all.map(({ name, model, part, numClasses, size, isCached }) => [
      name,
      model,
      part,
      `${numClasses}`,
      sizeText(size),
      isCached ? "yes" : "no",
    ]),
  });

function entryOf(name: string): WeightsEntry {
  if (listWeights().includes(name)) return describeWeights(name);
  throw new UsageError(
    `there are no weights called ${JSON.stringify(name)}`,
    chooseFrom(name, listWeights(), "fcn weights list"),
  );
}

async function runFetch(name: string, given: object): Promise<void> {
  const bar = createQuietBar(process.stderr, "{bar} {done} of {all} MiB", { barsize: 28 }, (done, total) => ({
    done: Math.round(done / MIB),
    all: Math.round(total / MIB),
  }));
  const onProgress: FetchOptions["onProgress"] = ({ received, total }) => {
    if (total !== undefined) bar.update(received, total);
  };
  await provide(name, given, { onProgress }).finally(bar.stop);
}

async function runPath(name: string, given: object): Promise<void> {
  const { url, file } = entryOf(name);
  const path = join(await cacheFolder(), file);
  if (!(await exists(path))) {
    throw new TensorError({
      code: "unreadable-file",
      message: `weights ${name}: ${path} is not there`,
      fix: `fcn weights fetch ${name}, or get ${url} on another machine and put it there`,
    });
  }
  await provide(name, given, { offline: true });
}

async function provide(name: string, given: object, options: FetchOptions): Promise<void> {
  const fetched = await fetchWeights(entryOf(name), options);
  await printResult(fetched, ({ path }: FetchedWeights) => `${path}\n`, givenBy(JSON_OUTPUT, given).json);
}
