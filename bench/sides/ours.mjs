/** @fcn/tensor and @fcn/core as one side of the bench. */

import { pathToFileURL } from "node:url";

/** The packages of this checkout, or of the one at `root`. */
async function loadPackages(root) {
  const entry = (name, folder) => (root ? pathToFileURL(`${root}/packages/${folder}/dist/index.js`).href : name);
  try {
    return { T: await import(entry("@fcn/tensor", "tensor")), fcn: await import(entry("@fcn/core", "fcn")) };
  } catch (cause) {
    if (cause.code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new Error(`the packages are not built (${cause.message}): run \`npm run build\``, { cause });
  }
}

/** How activations and weights lie in memory once a net holds them: channels last, as tfjs's inputs do. */
const STORED = {
  activation: [0, 2, 3, 1],
  convWeight: [2, 3, 1, 0],
  depthwiseWeight: [2, 3, 1, 0],
  transposeWeight: [2, 3, 1, 0],
  diagonalWeight: [2, 3, 1, 0],
};

/** Opens a device of its own on the adapter that lib/dawn.mjs chose, with the packages of the checkout at `root`. */
export async function openOurs(root) {
  const { T, fcn } = await loadPackages(root);
  const device = await T.createDevice();
  return {
    name: "fcn",
    T,
    fcn,
    device,
    adapter: device.info,
    /** A host tensor `{ shape, data }` on the GPU; Int32Array becomes int32. */
    upload({ kind, shape, data }, options = {}) {
      const dtype = data instanceof Int32Array ? "int32" : "float32";
      const order = STORED[kind];
      return device.tensor(data, shape, { dtype, ...(order ? { order } : {}), ...options });
    },
    /** Runs `step` (returns a record of tensors, or a promise of host tensors) once, waits, and frees what it made. */
    async run(step) {
      await device.scope(async () => {
        await step();
        await device.sync();
      });
    },
    /** As `run`, but returns the outputs in logical order. */
    async download(step) {
      const host = {};
      await device.scope(async () => {
        for (const [name, output] of Object.entries(await step())) {
          const data = typeof output.data === "function" ? await output.data() : output.data;
          host[name] = { data, shape: output.shape };
        }
      });
      return host;
    },
    /** The shape of the output of `forward`. */
    async shapeOf(forward) {
      return await device.scope(async () => [...forward().y.shape]);
    },
    dispose(tensors) {
      for (const tensor of tensors) tensor.dispose();
    },
    close() {
      device.destroy();
    },
  };
}
