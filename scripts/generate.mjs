// Writes what the packages have in TypeScript and is kept in another form: every .wgsl file below packages/kernels/src
// as a constant that is named by its path (wgsl.generated.ts), and a function for every public row of the pointwise
// ops (packages/tensor/src/ops/pointwise.generated.ts), with a list of their names.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles, writeIfChanged } from "./lib/files.mjs";
import { pointwiseModule, rowNamesModule } from "./lib/pointwise-module.mjs";
import { wgslModule } from "./lib/wgsl-module.mjs";

const packages = join(dirname(fileURLToPath(import.meta.url)), "../packages");
const source = join(packages, "kernels/src");
const shaders = listFiles(source, (name) => name.endsWith(".wgsl")).map((path) => ({
  path,
  source: readFileSync(join(source, path), "utf8"),
}));
const tables = ["activations", "elementary", "comparisons", "table"].map((name) =>
  readFileSync(join(source, `pointwise/${name}.ts`), "utf8"),
);

function write(path, content) {
  if (writeIfChanged(join(packages, path), content)) console.log(`wrote ${path}`);
}

write("kernels/src/wgsl.generated.ts", wgslModule(shaders));
write("tensor/src/ops/pointwise.generated.ts", pointwiseModule(tables));
write("tensor/src/core/rowNames.generated.ts", rowNamesModule(tables));
