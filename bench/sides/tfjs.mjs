/** tfjs-backend-webgpu as one side of the bench. */
import { fromTfjs, toTfjs } from "../lib/layouts.mjs";
import { installedVersion, requirePeer } from "../lib/peers.mjs";

/**
 * Loads tfjs on the `navigator.gpu` that lib/dawn.mjs defines.
 *
 * @returns a side: `upload`, `run`, `download`, see below.
 */
export async function openTfjs() {
  const tf = requirePeer("@tensorflow/tfjs-core");
  requirePeer("@tensorflow/tfjs-backend-webgpu");
  // The core's Node bundle leaves the gradients out; the layers package registers them in the engine that both share.
  requirePeer("@tensorflow/tfjs-layers");
  // The bundle counts as "nodejs" here, where a notice on startup recommends another backend.
  tf.env().set("IS_NODE", false);
  await tf.setBackend("webgpu");
  await tf.ready();
  if (tf.getBackend() !== "webgpu") throw new Error(`tfjs fell back to its ${tf.getBackend()} backend`);
  const backend = tf.backend();
  return {
    name: "tfjs-backend-webgpu",
    version: installedVersion("@tensorflow/tfjs-backend-webgpu"),
    tf,
    adapter: backend.adapterInfo,
    /** A host tensor in tfjs's natural order, resident on the GPU. */
    upload(host) {
      const { data, shape } = toTfjs(host);
      const tensor = tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");
      backend.uploadToGPU(tensor.dataId);
      return tensor;
    },
    /** Dispatches are batched by 15: submits what is left and waits for the GPU. */
    async sync() {
      if (backend.commandEncoder) {
        backend.endComputePassEncoder();
        backend.submitQueue();
      }
      await backend.queue.onSubmittedWorkDone();
    },
    /** Runs `step` (tensors in, a record of tensors out) once, waits, and frees what it made. */
    async run(step) {
      const outputs = tf.tidy(step);
      await this.sync();
      tf.dispose(outputs);
    },
    /** As `run`, but returns the outputs in logical order: `kinds` says what each is. */
    async download(step, kinds) {
      const outputs = tf.tidy(step);
      const host = {};
      for (const [name, tensor] of Object.entries(outputs)) {
        host[name] = fromTfjs(kinds[name] ?? "plain", { data: await tensor.data(), shape: tensor.shape });
      }
      tf.dispose(outputs);
      return host;
    },
    dispose(tensors) {
      tf.dispose(tensors);
    },
    close() {
      tf.removeBackend("webgpu");
    },
  };
}
