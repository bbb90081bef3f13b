import { RecentMap } from "../plain/recent.js";
import type { BufferRange } from "./buffers.js";
import type { GuardedDevice } from "./guarded.js";
import type { Pipeline } from "./pipelines.js";

/** Bind groups that are kept, at least: those of two steps of a deep net. */
const KEPT = 1024;

/** Bind groups by what they bind. A net that is run again gets the same buffers, so that few are made. */
export class BindGroupCache {
  readonly #groups = new RecentMap<GPUBindGroup>(KEPT);
  readonly #numbers = new WeakMap<object, number>();
  #count = 0;

  constructor(
    private readonly gpu: GuardedDevice,
    /** What is bound to binding 0. */
    private readonly uniforms: GPUBufferBinding,
  ) {}

  get(layout: Pipeline["layout"], ranges: readonly BufferRange[]): GPUBindGroup {
    let key = `${this.#numberOf(layout)}`;
    for (const { buffer, offset, size } of ranges) key += ` ${this.#numberOf(buffer)},${offset},${size}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const resources = [this.uniforms, ...ranges];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    const group = this.gpu.call((device) => device.createBindGroup({ layout, entries }));
    this.#groups.set(key, group);
    return group;
  }

  #numberOf(item: object): number {
    let number = this.#numbers.get(item);
    if (number === undefined) {
      number = this.#count++;
      this.#numbers.set(item, number);
    }
    return number;
  }
}
