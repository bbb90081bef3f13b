/**
 * onnxruntime-node as one side of the bench: its native WebGPU provider, or its CPU provider. It takes and gives host
 * arrays only, so a repetition holds the upload of the image and the download of the result.
 */
import { availableParallelism } from "node:os";
import { installedVersion, requirePeer } from "../lib/peers.mjs";

/** Errors only: the runtime remarks on every node that a provider leaves to the CPU. */
const LOG_ERRORS = 3;

/**
 * @param {"webgpu" | "cpu"} provider
 * @throws Error where the package for this system lacks the provider
 */
export async function openOnnx(provider) {
  const ort = requirePeer("onnxruntime-node");
  if (!ort.listSupportedBackends().some(({ name, bundled }) => name === provider && bundled)) {
    throw new Error(`onnxruntime-node has no ${provider} provider on ${process.platform} ${process.arch}`);
  }
  return {
    name: `onnxruntime ${provider}`,
    version: installedVersion("onnxruntime-node"),
    /** A session of an ONNX model, file or bytes, and `run`, which feeds it one image. */
    async session(model) {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [provider],
        intraOpNumThreads: availableParallelism(),
        logSeverityLevel: LOG_ERRORS,
      });
      const run = ({ data, shape }) => session.run({ [session.inputNames[0]]: new ort.Tensor("float32", data, shape) });
      return { run, dispose: () => session.release() };
    },
    run: (step) => step(),
    async download(step) {
      const outputs = Object.entries(await step());
      return Object.fromEntries(outputs.map(([name, { data, dims }]) => [name, { data, shape: [...dims] }]));
    },
    dispose(sessions) {
      for (const session of sessions) session.dispose();
    },
    close() {},
  };
}
