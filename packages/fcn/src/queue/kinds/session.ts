import { type Device, TensorError } from "@fcn/tensor";
import { bytesDigest } from "../../files/digest.js";
import { tunedDevice } from "../../measure/tunedDevice.js";
import { loadModels, type Nets } from "../../models/file/weightsFile.js";
import { readAddress } from "../../places/open.js";
import type { Roots } from "../../places/roots.js";
import type { NamedWeights } from "../runs/spec.js";

type DeviceChoice = NonNullable<Parameters<typeof tunedDevice>[0]>;

/** Nets that stay on the device while no chunk uses them. */
const MOST_IDLE = 2;

interface Kept {
  readonly nets: Promise<Nets>;
  users: number;
}

/** What the chunks of a worker share: its roots, its device, and the nets on it, each fetched once. */
export class Session {
  #device: Promise<Device> | undefined;
  readonly #kept = new Map<string, Kept>();
  #last: { readonly key: string; readonly value: Promise<unknown> } | undefined;

  constructor(
    readonly roots: Roots,
    private readonly choice: DeviceChoice & { readonly signal?: AbortSignal | undefined },
  ) {}

  /** Aborted when the worker is to end: long chunks keep what they have. */
  get signal(): AbortSignal | undefined {
    return this.choice.signal;
  }

  /** The device, which is opened when it is first wanted, and again after it was lost. */
  device(): Promise<Device> {
    this.#device ??= this.#open().catch((error: unknown) => {
      this.#device = undefined;
      throw error;
    });
    return this.#device;
  }

  async #open(): Promise<Device> {
    const device = await tunedDevice(this.choice);
    void device.lost.then(() => {
      this.#device = undefined;
      this.#kept.clear();
    });
    return device;
  }

  /**
   * Calls `use` with the nets in these files. Throws `checksum-mismatch` if a file has other bytes than the run names,
   * and what `roots` throw for an address outside of them.
   */
  async withNets<T>(weights: readonly NamedWeights[], use: (nets: Nets, device: Device) => Promise<T>): Promise<T> {
    const device = await this.device();
    const key = weights.map(({ sha256 }) => sha256).join();
    const kept = this.#kept.get(key) ?? { nets: this.#load(weights, device), users: 0 };
    // The one that was used last is the last to go.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.users++;
    try {
      return await use(await kept.nets.catch((error: unknown) => this.#forget(key, error)), device);
    } finally {
      kept.users--;
      await this.#evict();
    }
  }

  /** What `make` makes, once for a key: of several keys the last one is kept. */
  kept<T>(key: string, make: () => Promise<T>): Promise<T> {
    if (this.#last?.key !== key) {
      const value = make();
      this.#last = { key, value };
      value.catch(() => {
        if (this.#last?.value === value) this.#last = undefined;
      });
    }
    return this.#last?.value as Promise<T>;
  }

  #forget(key: string, error: unknown): never {
    this.#kept.delete(key);
    throw error;
  }

  async #load(weights: readonly NamedWeights[], device: Device): Promise<Nets> {
    return loadModels(await Promise.all(weights.map(async (each) => new Blob([await this.bytes(each)]))), device);
  }

  /** A file with the digest that the run names. Throws as {@link withNets}. */
  async bytes({ address, sha256 }: NamedWeights): Promise<Uint8Array<ArrayBuffer>> {
    await this.roots.check(address);
    const bytes = (await readAddress(address)) as Uint8Array<ArrayBuffer>;
    const found = bytesDigest(bytes, "sha256");
    if (found === sha256) return bytes;
    throw new TensorError({
      code: "checksum-mismatch",
      message: `${address} has other bytes than when the run was started (SHA-256 ${found.slice(0, 12)}..., then ${sha256.slice(0, 12)}...)`,
      fix: "start the run again with these weights, or put the former file back and retry the run",
    });
  }

  async #evict(): Promise<void> {
    const idle = [...this.#kept].filter(([, { users }]) => users === 0);
    for (const [key, { nets }] of idle.slice(0, Math.max(0, idle.length - MOST_IDLE))) {
      this.#kept.delete(key);
      for (const { model } of await nets) model.dispose();
    }
  }

  async close(): Promise<void> {
    (await this.#device?.catch(() => undefined))?.destroy();
  }
}
