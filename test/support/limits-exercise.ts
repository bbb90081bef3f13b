import { add, concat, createDevice, type DeviceOptions, max, slice, type Tensor } from "@fcn/tensor";
import { emptyTensor } from "@fcn/tensor/internal";

/**
 * Bytes of one buffer and of one binding alike, as in Chromium, where the two limits of an adapter are the same number.
 */
export const LIMIT = 8192;
const WORDS = LIMIT / 4;
const MIB = 2 ** 20;

const AROUND = Array.from({ length: 131 }, (_, i) => i - 65);
/** Numbers of elements at the largest buffer, at two of them, and at the sum of two. */
export const SIZES = [
  ...AROUND.map((d) => WORDS + d),
  ...[-1, 0, 1].flatMap((d) => [WORDS - 64 + d, 2 * WORDS + d, 2 * (WORDS - 64) + d, 3 * WORDS + 5 + d]),
];

/** What {@link limitsExercise} and {@link uploadExercise} saw, as plain values that cross from a browser. */
export interface LimitsExercise {
  readonly runtime: string;
  /** The results that are not what they should be. */
  readonly wrong: readonly string[];
  /** Bytes of the largest buffer and binding that WebGPU was asked for, and of the largest write. */
  readonly largest: { buffer: number; binding: number; write: number };
}

/** The prototypes of a WebGPU that are watched. */
export interface Watched {
  readonly GPUDevice: { readonly prototype: GPUDevice };
  readonly GPUQueue: { readonly prototype: GPUQueue };
}

async function watched(
  webgpu: Watched,
  options: DeviceOptions,
  use: (device: Awaited<ReturnType<typeof createDevice>>, wrong: string[]) => Promise<void>,
): Promise<LimitsExercise> {
  const [wrong, largest] = [[] as string[], { buffer: 0, binding: 0, write: 0 }];
  const [devices, queues] = [webgpu.GPUDevice.prototype, webgpu.GPUQueue.prototype];
  const { createBuffer, createBindGroup } = devices;
  const { writeBuffer } = queues;
  devices.createBuffer = function (descriptor) {
    // The parameters of ops have a buffer of their own, of a fixed size.
    if (descriptor.label !== "uniforms") largest.buffer = Math.max(largest.buffer, descriptor.size);
    return createBuffer.call(this, descriptor);
  };
  devices.createBindGroup = function (descriptor) {
    for (const { resource } of descriptor.entries) {
      largest.binding = Math.max(largest.binding, (resource as GPUBufferBinding).size ?? 0);
    }
    return createBindGroup.call(this, descriptor);
  };
  queues.writeBuffer = function (this: GPUQueue, ...args: Parameters<GPUQueue["writeBuffer"]>) {
    largest.write = Math.max(largest.write, args[4] ?? 0);
    return writeBuffer.apply(this, args);
  } as GPUQueue["writeBuffer"];
  try {
    using device = await createDevice({ quiet: true, ...options });
    await use(device, wrong);
    return { runtime: device.info.runtime, wrong, largest };
  } finally {
    Object.assign(devices, { createBuffer, createBindGroup });
    Object.assign(queues, { writeBuffer });
  }
}

/** Zeros, full, uploads, reads, ops, slices and copies at every size around the largest buffer. */
export function limitsExercise(webgpu: Watched = globalThis): Promise<LimitsExercise> {
  const options = { bufferLimit: LIMIT, poolBytes: 0 } as DeviceOptions;
  return watched(webgpu, options, async (device, wrong) => {
    for (const n of SIZES) {
      await device.scope(async () => {
        const want = (i: number): number => i % 1009;
        const check = async (name: string, y: Tensor, length: number, right: (i: number) => number): Promise<void> => {
          const got = await y.data();
          if (got.length !== length || !got.every((v, i) => v === right(i))) wrong.push(`${name} of ${n}`);
        };
        const x = device.tensor(Float32Array.from({ length: n }, (_, i) => want(i)));
        await check("upload", x, n, want);
        const [zeros, threes, sum] = [device.zeros([n]), device.full([n], 3), add(x, x)];
        const tail = slice(x, [[n - 5, n]]);
        const copy = emptyTensor(device, [n]);
        copy.assign(sum);
        const joined = concat([slice(x, [[0, 7]]), zeros, tail]);
        await Promise.all([
          check("zeros", zeros, n, () => 0),
          check("full", threes, n, () => 3),
          check("add and copy", copy, n, (i) => 2 * want(i)),
          check("slice", tail, 5, (i) => want(n - 5 + i)),
          check("concat", joined, n + 12, (i) => (i < 7 ? want(i) : i < n + 7 ? 0 : want(i - 12))),
        ]);
        if ((await max(x).item()) !== Math.min(n - 1, 1008)) wrong.push(`max of ${n}`);
      });
    }
  });
}

/** An upload of 64 MiB and three elements, read at its ends and around each multiple of 16 MiB. */
export function uploadExercise(webgpu: Watched = globalThis): Promise<LimitsExercise> {
  return watched(webgpu, {}, async (device, wrong) => {
    const [n, step] = [(64 * MIB) / 4 + 3, (16 * MIB) / 4];
    const values = new Int32Array(n).map((_, i) => i);
    using x = device.tensor(values, [n], { dtype: "int32" });
    for (let at = 0; at < n; at += step) {
      const [first, end] = [Math.max(0, at - 3), Math.min(n, at + 3)];
      using part = slice(x, [[first, end]]);
      const got = [...(await part.data())];
      if (got.length !== end - first || got.some((v, i) => v !== first + i)) wrong.push(`elements around ${at}`);
    }
  });
}
