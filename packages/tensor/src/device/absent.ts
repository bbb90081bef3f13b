import { TensorError } from "../plain/errors.js";
import { isNode } from "../plain/node.js";
import type { AdapterChoice, DeviceInfo } from "./adapter.js";
import { adviceWithoutWebGpu } from "./advice.js";

// The errors of who has no GPU, which are loaded when there is none.

const DOCTOR = "run `npx fcn doctor`, which names the driver that this system lacks and the command that installs it";

export function noNavigatorGpu(): TensorError {
  const { reason, fix } = adviceWithoutWebGpu();
  return new TensorError({ code: "no-webgpu", message: `createDevice: there is no navigator.gpu: ${reason}`, fix });
}

export function noAdapter(choice: AdapterChoice, found: readonly { readonly info: DeviceInfo }[]): TensorError {
  const seen = found.map(({ info }) => info.description || info.device).join(", ") || "none";
  const message = `createDevice: no ${choice === "auto" ? "" : `${choice} `}WebGPU adapter (adapters found: ${seen})`;
  if (isNode()) return new TensorError({ code: "no-adapter", message, fix: DOCTOR });
  const { reason, fix } = adviceWithoutWebGpu();
  return new TensorError({ code: "no-adapter", message: `${message}: ${reason}`, fix });
}

export function refusedGpu(cause: Error): TensorError {
  return new TensorError(
    {
      code: "no-adapter",
      message: `createDevice: the system refused a GPU: ${cause.message}`,
      fix: isNode() ? DOCTOR : "reload the page, or restart the browser",
    },
    { cause },
  );
}
