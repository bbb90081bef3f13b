import { access } from "node:fs/promises";
import { TensorError } from "@fcn/tensor";
import type { Command } from "commander";
import { chooseFrom } from "../../options/closest.js";
import { createFetchBar } from "../../progress/quietBar.js";
import { formatTable } from "../../report/table.js";
import { cacheFolder, weightsPath } from "../../weights/registry/cache.js";
import { sizeText } from "../../weights/registry/check.js";
import type { WeightsEntry } from "../../weights/registry/entry.js";
import { type FetchedWeights, type FetchOptions, fetchWeights } from "../../weights/registry/fetchWeights.js";
import { isHere } from "../../weights/registry/pretrained.js";
import { describeWeights, listWeights } from "../../weights/registry/registry.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { offerOperands } from "../flags/choices.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

const OPERAND = ["<name>", "the name of published weights, as fcn weights list shows it"] as const;

/** Adds the commands of `fcn weights`. */
export function setUp(weights: Command): void {
  const list = weights.command("list").description("list published weights, and which of them are on this machine");
  addFlags(list, JSON_OUTPUT).action(runList);
  const fetch = weights
    .command("fetch")
    .description(
      "download published weights, or take them from an installed npm package, and print their path; what was fetched before is only checked",
    );
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

type Listed = WeightsEntry & {
  /** Where the file lies once it is fetched. */
  readonly path: string;
  readonly isCached: boolean;
  /** Whether it can be had without a network: it is in the cache, or the package that holds it is installed. */
  readonly isHere: boolean;
};

async function runList(given: object): Promise<void> {
  const folder = await cacheFolder();
  const listed = listWeights().map(async (name): Promise<Listed> => {
    const entry = describeWeights(name);
    const path = await weightsPath(entry);
    return { ...entry, path, isCached: await exists(path), isHere: await isHere(entry) };
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
    header: ["weights", "model", "of the", "classes", "size", "source", "here"],
    rows: all.map((entry) => [
      entry.name,
      entry.model,
      entry.part,
      `${entry.numClasses}`,
      sizeText(entry.size),
      sourceOf(entry),
      entry.isHere ? "yes" : "no",
    ]),
  });

const sourceOf = ({ url, npm }: WeightsEntry): string => (npm ? `npm ${npm.package}` : new URL(url).host);

function entryOf(name: string): WeightsEntry {
  if (listWeights().includes(name)) return describeWeights(name);
  throw new UsageError(
    `there are no weights called ${JSON.stringify(name)}`,
    chooseFrom(name, listWeights(), "fcn weights list"),
  );
}

async function runFetch(name: string, given: object): Promise<void> {
  const bar = createFetchBar(process.stderr);
  const onProgress: FetchOptions["onProgress"] = ({ received, total }) => {
    if (total !== undefined) bar.update(received, total);
  };
  await provide(name, given, { onProgress }).finally(bar.stop);
}

async function runPath(name: string, given: object): Promise<void> {
  const entry = entryOf(name);
  const path = await weightsPath(entry);
  if (entry.npm === undefined && !(await exists(path))) {
    throw new TensorError({
      code: "unreadable-file",
      message: `weights ${name}: ${path} is not there`,
      fix: `fcn weights fetch ${name}, or get ${entry.url} on another machine and put it there`,
    });
  }
  await provide(name, given, { offline: true });
}

async function provide(name: string, given: object, options: FetchOptions): Promise<void> {
  const fetched = await fetchWeights(entryOf(name), options);
  await printResult(fetched, ({ path }: FetchedWeights) => `${path}\n`, givenBy(JSON_OUTPUT, given).json);
}
