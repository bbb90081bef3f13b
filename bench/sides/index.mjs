import { openJax } from "./jax.mjs";
import { openOnnx } from "./onnx.mjs";
import { openTfjs } from "./tfjs.mjs";
import { openTorch } from "./torch.mjs";
import { openWasm } from "./wasm.mjs";

/**
 * Those that fcn is compared with. `beside` is the work of ours that stands beside theirs: `ours` begins and ends on
 * the GPU, `host` begins and ends in memory of the host. A peer on the CPU is there for orientation.
 */
export const PEERS = {
  tfjs: { title: "tfjs-backend-webgpu", short: "tfjs", beside: "ours", open: openTfjs },
  onnx: { title: "onnxruntime WebGPU", short: "ort", beside: "host", open: () => openOnnx("webgpu") },
  jax: { title: "jax-js", short: "jax", beside: "ours", open: openJax },
  wasm: { title: "tfjs-backend-wasm (CPU)", short: "wasm CPU", beside: "ours", open: openWasm },
  onnxCpu: { title: "onnxruntime CPU", short: "ort CPU", beside: "host", open: () => openOnnx("cpu") },
  torch: { title: "PyTorch CPU", short: "torch CPU", beside: "ours", open: openTorch },
};
