import { brief, show, TensorError } from "../plain/errors.js";

export function deviceLost(reason: string): TensorError {
  return new TensorError({
    code: "device-lost",
    message: `the GPU device is gone: ${reason}`,
    fix: {
      code: "create a new device with createDevice() and load your last checkpoint; if the device was lost while allocating, use a smaller batch",
    },
  });
}

export interface MemoryRequest {
  readonly op: string | undefined;
  readonly byteLength: number;
  readonly shape: readonly number[] | undefined;
}

export function outOfMemory({ op = "allocate", byteLength, shape }: MemoryRequest, detail: string): TensorError {
  const holder = shape ? ` for a tensor of shape ${show(shape)}` : "";
  return new TensorError({
    code: "out-of-memory",
    message: `${op}: could not allocate ${(byteLength / 2 ** 20).toFixed(1)} MiB${holder}: ${brief(detail, 200)}`,
    fix: {
      code: "use a smaller batch or image, or wrap the work in device.scope() so that intermediate tensors are freed",
    },
  });
}

export function gpuError(error: Error): TensorError {
  return new TensorError(
    {
      code: "gpu-error",
      message: `the GPU refused a command: ${error.message}`,
      fix: "this is a defect of the library: report it with the output of `npx fcn doctor`",
    },
    { cause: error },
  );
}

/** The error for a function that `device.capture` cannot replay; `what` says what it does. */
export function notReplayable(what: string): TensorError {
  return new TensorError({
    code: "not-replayable",
    message: `capture: the function cannot be replayed: ${what}`,
    fix: {
      code: "do that outside of the captured function, and pass it the tensors that change as arguments; zero gradients at its end (optimizer.zeroGrad()), read results after it",
    },
  });
}
