import type { createDevice, Device } from "@fcn/tensor";

type Tensors = { readonly createDevice: typeof createDevice };

/**
 * The package of tensors with one device for all commands of a test file, which keeps what it has compiled. A command
 * that asks for a fault gets its own. For `vi.mock("@fcn/tensor", ...)`.
 */
export function sharingDevice<T extends Tensors>(tensors: T): T {
  let shared: Promise<Device> | undefined;
  const open = async (): Promise<Device> =>
    Object.assign(await tensors.createDevice({ quiet: true }), { destroy() {} });
  const createShared: typeof createDevice = (options) => {
    if (process.env.FCN_SIMULATE !== undefined) return tensors.createDevice(options);
    shared ??= open();
    return shared;
  };
  return { ...tensors, createDevice: createShared };
}
