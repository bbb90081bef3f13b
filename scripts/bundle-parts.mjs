// What a page saves that loads one net, one optimiser or one loss in place of all that have names: the bytes of the
// bundle of nets, training and prediction (minified, gzip -9) with these tables cut down, and those of its shaders.
//   node scripts/bundle-parts.mjs
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const ENTRY = join(root, "entry.js");
const PROGRAM = `import { createDevice } from "@fcn/tensor";
  import { models, predict, train } from "@fcn/core";
  export async function run(image, data) {
    const model = models.create("fcn8s-small", await createDevice(), { numClasses: 2 });
    await train({ model, data, numClasses: 2 });
    return predict(model, image);
  }`;

/** Modules with most of a table left out. */
const CUTS = {
  "one net": {
    "models/zoo/index.js": () =>
      'import { VGG_NETS } from "./vgg.js"; export const ZOO = { "fcn8s-small": VGG_NETS["fcn8s-small"] };',
  },
  "one optimiser": { "training/optimizer/optimizers.js": (code) => code.replace(/ {4}adamw: \{[\s\S]*?\n\};/, "};") },
  "one loss": { "training/loss/loss.js": (code) => code.replace(/ {4}focal: \{[\s\S]*?\n\};/, "};") },
};

async function bundle(cuts) {
  const load = (id) => {
    if (id === ENTRY) return PROGRAM;
    const [, cut] = Object.entries(cuts).find(([path]) => id.endsWith(path)) ?? [];
    if (cut === undefined) return null;
    const code = readFileSync(id, "utf8");
    const less = cut(code);
    if (less === code) throw new Error(`nothing was cut from ${id}`);
    return less;
  };
  const plugin = { name: "cut", resolveId: (id) => (id === ENTRY ? id : null), load };
  const build = await rolldown({ input: ENTRY, cwd: root, platform: "browser", plugins: [plugin] });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  return output.filter((item) => item.type === "chunk");
}

const bytesOf = (code) => gzipSync(code, { level: 9 }).length;

/** The chunks that are loaded before any code asks for more. */
function atOnce(chunks) {
  const found = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of found) for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  return [...found];
}

const sizeOf = async (cuts) => atOnce(await bundle(cuts)).reduce((bytes, { code }) => bytes + bytesOf(code), 0);

const all = await sizeOf({});
console.log(`${all} bytes: nets, training and prediction`);
const shaders = atOnce(await bundle({}))
  .flatMap(({ modules }) => Object.entries(modules))
  .find(([id]) => id.endsWith("wgsl.generated.js"));
console.log(`${bytesOf(shaders[1].code)} bytes: the shaders of it by themselves`);
for (const [name, cut] of Object.entries(CUTS)) console.log(`${all - (await sizeOf(cut))} bytes less: ${name}`);
console.log(`${all - (await sizeOf(Object.assign({}, ...Object.values(CUTS))))} bytes less: all three`);
