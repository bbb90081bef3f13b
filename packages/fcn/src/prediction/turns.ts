import type { Device } from "@fcn/tensor";

const last = new WeakMap<Device, Promise<unknown>>();

/**
 * Runs pieces of work on one device one after the other, in the order of the calls, because their scopes must not
 * overlap, and one must not switch a net to training while another predicts with it. `work` must not wait for a turn on
 * the same device.
 */
export function inTurn<T>(device: Device, work: () => Promise<T>): Promise<T> {
  const turn = (last.get(device) ?? Promise.resolve()).then(work);
  // A failure is reported to its own caller; the next piece of work still runs.
  last.set(
    device,
    turn.catch(() => undefined),
  );
  return turn;
}
