import {
  type Access,
  askedLanes,
  type Kernel,
  type KernelInfo,
  type Lanes,
  packParams,
  parseKernel,
  type Step,
  specialize,
} from "@fcn/kernels";
import { TensorError } from "../plain/errors.js";
import type { GuardedDevice } from "./guarded.js";

const COMPUTE_STAGE = 4;

export interface Pipeline {
  /** The kernel and its constants. */
  readonly key: string;
  readonly info: KernelInfo;
  readonly layout: GPUBindGroupLayout;
  readonly handle: GPUComputePipeline;
}

/** What dispatching a step takes each time: its pipeline, and its parameters as the kernel reads them. */
export interface Prepared {
  readonly pipeline: Pipeline;
  readonly params: Uint8Array;
}

/** What the text of a step's kernel depends on. */
export type Specialized = Pick<Step, "kernel" | "constants" | "half">;

/**
 * Compiled kernels by name and constants. Bind-group layouts are explicit, and shared by kernels of the same signature.
 */
export class PipelineCache {
  readonly #infos = new Map<string, KernelInfo>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Pipeline>();
  /** Pipelines that are being compiled. */
  readonly #warming = new Map<string, Promise<void>>();
  readonly #prepared = new WeakMap<Step, Prepared>();

  constructor(
    private readonly gpu: GuardedDevice,
    private readonly lanes: Lanes,
    private readonly report: (error: Error) => void,
  ) {}

  static key({ kernel, constants = {}, half = [] }: Specialized): string {
    return `${kernel.name} ${JSON.stringify(constants)}${half.length > 0 ? ` float16 ${half}` : ""}`;
  }

  /** What a step needs, made when it is first dispatched. */
  prepare(step: Step): Prepared {
    const known = this.#prepared.get(step);
    if (known) return known;
    const pipeline = this.get(step);
    const bytes = new ArrayBuffer(pipeline.info.paramsBytes);
    packParams(pipeline.info, step.params, new DataView(bytes), 0);
    const prepared = { pipeline, params: new Uint8Array(bytes) };
    this.#prepared.set(step, prepared);
    return prepared;
  }

  /** The pipeline, compiled here and now unless it was warmed up. */
  get(step: Specialized): Pipeline {
    const key = PipelineCache.key(step);
    const known = this.#pipelines.get(key);
    if (known) return known;
    this.gpu.call((device) => device.pushErrorScope("validation"));
    const { descriptor, ...parts } = this.#parts(step);
    const pipeline = { key, ...parts, handle: this.gpu.call((device) => device.createComputePipeline(descriptor)) };
    this.gpu
      .wait((device) => device.popErrorScope())
      .then(
        (error) => error && this.report(compileError(key, error.message)),
        // Only a lost device rejects here, and every other call reports that.
        () => undefined,
      );
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  async warm(step: Specialized): Promise<void> {
    const key = PipelineCache.key(step);
    if (this.#pipelines.has(key)) return;
    const compiling = this.#warming.get(key) ?? this.#compile(key, step);
    this.#warming.set(key, compiling);
    await compiling.finally(() => this.#warming.delete(key));
  }

  async #compile(key: string, step: Specialized): Promise<void> {
    const { descriptor, ...parts } = this.#parts(step);
    try {
      const handle = await this.gpu.wait((device) => device.createComputePipelineAsync(descriptor));
      this.#pipelines.set(key, { key, ...parts, handle });
    } catch (cause) {
      throw this.gpu.lostError ?? compileError(key, (cause as Error).message);
    }
  }

  #info(kernel: Kernel): KernelInfo {
    let info = this.#infos.get(kernel.name);
    if (!info) {
      info = parseKernel(kernel);
      this.#infos.set(kernel.name, info);
    }
    return info;
  }

  #parts({
    kernel,
    constants = {},
    half,
  }: Specialized): Omit<Pipeline, "handle" | "key"> & { readonly descriptor: GPUComputePipelineDescriptor } {
    const info = this.#info(kernel);
    const layout = this.#layout(info);
    const code = specialize(info, constants, askedLanes(info, this.lanes), half);
    const descriptor = this.gpu.call((device) => ({
      label: info.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: device.createShaderModule({ label: info.name, code }), entryPoint: "main" },
    }));
    return { info, layout, descriptor };
  }

  #layout(info: KernelInfo): GPUBindGroupLayout {
    const signature = info.bindings.map(({ access }) => access).join(" ");
    let layout = this.#layouts.get(signature);
    if (!layout) {
      const entries: GPUBindGroupLayoutEntry[] = [
        { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...info.bindings.map(({ access }, i) => ({
          binding: i + 1,
          visibility: COMPUTE_STAGE,
          buffer: { type: storageType(access) },
        })),
      ];
      layout = this.gpu.call((device) => device.createBindGroupLayout({ label: signature, entries }));
      this.#layouts.set(signature, layout);
    }
    return layout;
  }
}

const storageType = (access: Access): GPUBufferBindingType => (access === "read" ? "read-only-storage" : "storage");

function compileError(key: string, detail: string): TensorError {
  return new TensorError({
    code: "kernel-compile",
    message: `the kernel ${key} does not compile on this adapter: ${detail}`,
    fix: "report this with the output of `npx fcn doctor`",
  });
}
