import { createDevice as createOwn, type Device, savedTuning } from "../../packages/tensor/src/index.js";

// The package of tensors, in which all test files of a worker that ask for nothing special share one device: what it
// has compiled for one file need not be compiled for the next. A test project names this file as the package.
export * from "../../packages/tensor/src/index.js";

let shared: Promise<Device> | undefined;

const open = async (): Promise<Device> => Object.assign(await createOwn({ quiet: true }), { destroy() {} });

/** The shared device, which lasts as long as the worker, or one of its own for whoever gives options or a fault. */
export const createDevice: typeof createOwn = (options = {}) => {
  const { quiet: _, tuning, ...others } = options;
  const isSpecial = Object.keys(others).length > 0 || (tuning !== undefined && tuning !== savedTuning);
  if (isSpecial || process.env.FCN_SIMULATE !== undefined) return createOwn(options);
  shared ??= open();
  return shared;
};
