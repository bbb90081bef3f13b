/** jax-js (`@jax-js/jax`) as one side of the bench. */
import { installedVersion } from "../lib/peers.mjs";
import { importPeer } from "../peers/load.mjs";

/** Loads jax-js on the `navigator.gpu` that lib/dawn.mjs defines. Arrays keep PyTorch's order, which is jax's own. */
export async function openJax() {
  const jax = await importPeer("@jax-js/jax");
  const { numpy: np } = jax;
  const backends = await jax.init("webgpu");
  if (!backends.includes("webgpu")) throw new Error("jax-js finds no WebGPU adapter");
  jax.defaultDevice("webgpu");
  const finished = async (step) => {
    const outputs = step();
    await jax.blockUntilReady(Object.values(outputs));
    return outputs;
  };
  return {
    name: "jax-js",
    version: installedVersion("@jax-js/jax"),
    jax,
    adapter: jax.getWebGPUDevice().adapterInfo,
    upload: ({ data, shape }) =>
      np.array(data.slice(), { shape, dtype: data instanceof Int32Array ? np.int32 : np.float32 }),
    async run(step) {
      for (const output of Object.values(await finished(step))) output.dispose();
    },
    async download(step) {
      const host = {};
      for (const [name, output] of Object.entries(await finished(step))) {
        const { shape } = output;
        host[name] = { shape, data: await output.data() };
      }
      return host;
    },
    dispose(arrays) {
      for (const array of arrays) array.dispose();
    },
    close() {},
  };
}
