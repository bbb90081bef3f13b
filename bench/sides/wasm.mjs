/** tfjs-backend-wasm as one side of the bench: tfjs on one core of the CPU. It has no gradient of a convolution. */
import { fromTfjs, toTfjs } from "../lib/layouts.mjs";
import { installedVersion, requirePeer } from "../lib/peers.mjs";

/** tfjs has one current backend: each use takes it for itself and gives it back. */
export async function openWasm() {
  const tf = requirePeer("@tensorflow/tfjs-core");
  requirePeer("@tensorflow/tfjs-backend-wasm");
  // Its threads are workers made of blobs, which Node does not have.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const inWasm = async (work) => {
    const before = tf.getBackend();
    await tf.setBackend("wasm");
    try {
      return await work();
    } finally {
      if (before) await tf.setBackend(before);
    }
  };
  await inWasm(() => tf.ready());
  const perform = (step) => inWasm(() => tf.tidy(step));
  return {
    name: "tfjs-backend-wasm",
    version: installedVersion("@tensorflow/tfjs-backend-wasm"),
    tf,
    upload(host) {
      const { data, shape } = toTfjs(host);
      return tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");
    },
    /** Kernels run when they are called: there is nothing to wait for. */
    async run(step) {
      tf.dispose(await perform(step));
    },
    async download(step, kinds) {
      const host = {};
      await inWasm(async () => {
        const outputs = tf.tidy(step);
        for (const [name, tensor] of Object.entries(outputs)) {
          host[name] = fromTfjs(kinds[name] ?? "plain", { data: await tensor.data(), shape: tensor.shape });
        }
        tf.dispose(outputs);
      });
      return host;
    },
    prepare: inWasm,
    dispose(tensors) {
      tf.dispose(tensors);
    },
    close() {},
  };
}
