/**
 * Compiles the kernels of a convolution with every tile that plans may choose, and each with every size of subgroups
 * that the GPU can be asked for: `node compileTiles.mjs CASE`. What the driver says of a pipeline goes to standard
 * error between `@@begin KEY` and `@@end`; standard output gets the adapter's name.
 */
import { writeSync } from "node:fs";
import { parseKernel, specialize } from "@fcn/kernels";
import { geometryOf, PASSES, plansByTile, TILE_CASES, tileName } from "../lib/convolutions.mjs";
import { openDawn } from "../lib/dawn.mjs";

/** The passes that are compiled with subgroups too: they take many tiles. */
const MAIN = { name: "64-64", passes: ["forward", "weight gradient"] };
const LARGEST = 16;
const FEATURE = "subgroup-size-control";
const CAPABILITIES = { bindingLimit: 2 ** 27, parallelism: 256, variants: ["workgroup", "subgroup", "register"] };

/** The compute steps of all tiles, without those that only pack weights. */
function* kernels(name, sizes) {
  const g = geometryOf(TILE_CASES[name]);
  for (const pass of Object.keys(PASSES)) {
    const isMain = name === MAIN.name && MAIN.passes.includes(pass);
    for (const subgroupSize of isMain ? [0, ...sizes] : [0]) {
      for (const { tile, plan } of plansByTile(pass, g, { ...CAPABILITIES, subgroupSize })) {
        const step = plan.steps.find(({ kernel }) => !kernel.name.includes("pack"));
        const needsSubgroups = step.kernel.source.includes("enable subgroups");
        // Without subgroups in the kernel their size is free; with them it is part of the tile.
        if (needsSubgroups !== subgroupSize > 0) continue;
        // Larger ones spill everywhere, and compilers need half a minute for that.
        if (needsSubgroups && tile.TM * tile.TV > LARGEST) continue;
        for (const size of needsSubgroups ? [subgroupSize] : [0, ...sizes])
          yield { key: `${name} ${pass} | ${tileName(tile)} | ${size || "any"}`, step, size };
      }
    }
  }
}

const { adapter, info } = await openDawn();
const hasSizes = adapter.features.has(FEATURE);
const device = await adapter.requestDevice({ requiredFeatures: hasSizes ? [FEATURE] : [] });
const sizes = [8, 16, 32, 64].filter(
  (size) => hasSizes && size >= info.subgroupMinSize && size <= info.subgroupMaxSize,
);
const refused = {};
for (const { key, step, size } of kernels(process.argv[2], sizes)) {
  const code = specialize(parseKernel(step.kernel), step.constants ?? {}, size);
  device.pushErrorScope("validation");
  writeSync(2, `\n@@begin ${key}\n`);
  const module = device.createShaderModule({ code });
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  writeSync(2, "\n@@end\n");
  const error = await device.popErrorScope();
  if (error) refused[key] = error.message.split("\n")[0];
}
console.log(JSON.stringify({ adapter: info.description, sizes, refused }));
process.exit(0);
