import { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { findPackage } from "../../files/findPackage.js";
import { writeConverted } from "../convert.js";
import { TENSORFLOW_MAPS } from "../tensorflow/open.js";
import type { PackagedModel } from "./entry.js";

/**
 * Writes a model of an installed npm package to `target`, with the names of our nets; the file says which options and
 * preprocessing a net needs for it. Throws `missing-data` if the package is not installed.
 */
export async function unpackModel(entry: PackagedModel, target: string): Promise<void> {
  const { npm, options, preprocessing } = entry;
  const folder = await findPackage(npm.package);
  if (folder === undefined) throw notInstalled(entry);
  const { join } = nodeModule("fetchWeights", "node:path");
  const described = { options: { ...TENSORFLOW_MAPS[npm.names]?.options, ...options }, preprocessing };
  const form = { to: "safetensors", describe: () => described } as const;
  await writeConverted(join(folder, npm.path), target, { names: npm.names }, form);
}

function notInstalled({ name, npm }: PackagedModel): TensorError {
  return new TensorError({
    code: "missing-data",
    message: `fetchWeights ${name}: the npm package ${npm.package}, which holds these weights, is not installed`,
    fix: `npm install ${npm.package}`,
  });
}
