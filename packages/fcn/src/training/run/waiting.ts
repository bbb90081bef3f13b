import type { Device } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";

const { setImmediate } = nodeModule("trainRun", "node:timers/promises");

/**
 * Passes batches on, and adds up the time in which the device has nothing to do because the next batch is not ready.
 */
export class Waiting<T> {
  /** Leaves out the first batch, which waits for the threads to start. */
  seconds = 0;

  constructor(
    private readonly batches: AsyncIterator<T, void>,
    private readonly device: Pick<Device, "sync">,
  ) {}

  async *stream(): AsyncGenerator<T, void, undefined> {
    for (let isFirst = true; ; isFirst = false) {
      const next = this.batches.next();
      const waited = await this.#idleUntil(next);
      const { done, value } = await next;
      if (done) return;
      if (!isFirst) this.seconds += waited;
      yield value;
    }
  }

  /** Seconds until a batch arrives, without those in which the device is still working on earlier batches. */
  async #idleUntil(next: Promise<unknown>): Promise<number> {
    let start = performance.now();
    // Only its arrival matters here. An error is thrown where the batch is awaited.
    const arrival = Promise.allSettled([next]);
    const isThere = await Promise.race([arrival, setImmediate(undefined)]);
    if (!isThere) {
      await this.device.sync();
      start = performance.now();
      await arrival;
    }
    return (performance.now() - start) / 1000;
  }
}
