import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { listFiles } from "../../scripts/lib/files.mjs";

const root = join(import.meta.dirname, "../..");

/** Tests of behaviour across files that share their name with a source file of another folder by chance. */
const ACROSS = [
  "fcn/cli/skipBad",
  "fcn/data/annotations/sizes",
  "fcn/data/layouts/table",
  "fcn/demo/demo",
  "fcn/export/onnx/models",
  "fcn/models/graph/kinds/kinds",
  "fcn/models/models",
  "fcn/prediction/files/files",
  "fcn/queue/places",
  "fcn/queue/scenes",
  "fcn/report/report",
  "fcn/training/settings/table",
  "fcn/weights/load",
  "tensor/ops/nearest",
  "tensor/optim/rules",
];

it.each(["kernels", "tensor", "fcn", "studio"])("the tests of %s lie in the folders of its source", (name) => {
  const folder = join(root, name === "studio" ? "" : "packages", name, "src");
  const sources = new Set<string>(listFiles(folder, (file: string) => file.endsWith(".ts")));
  const names = new Set([...sources].map((path) => basename(path)));
  const tests: string[] = listFiles(join(root, "test", name), (file: string) => file.endsWith(".test.ts"));
  const misplaced = tests.filter((path) => {
    const source = path.replace(/\.test\.ts$/, ".ts");
    if (sources.has(source)) return false;
    return !existsSync(join(folder, dirname(path))) || names.has(basename(source));
  });
  const across = ACROSS.filter((path) => path.startsWith(`${name}/`)).map((path) => path.slice(name.length + 1));
  expect(misplaced.map((path) => path.replace(/\.test\.ts$/, ""))).toEqual(across);
});
