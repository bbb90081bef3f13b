/**
 * What browsers lack of WebGPU and JavaScript beside the Chromium that the tests run, as MDN's data of browser
 * compatibility have it (August 2026: Firefox 141 and later, Safari 26 and later). Limits are those that every browser
 * must have, and an adapter need not say what it is.
 */
export interface Profile {
  /** The features that an adapter may have; absent: all. */
  readonly features?: readonly string[];
  /** Whether adapters have the limits that WebGPU promises, and no more. */
  readonly hasDefaultLimits: boolean;
  /** Whether adapters say nothing of themselves. */
  readonly isNameless: boolean;
  /** Whether only the older forms of calls are there, and no extension of the shading language. */
  readonly isPlain: boolean;
  /** What `copyExternalImageToTexture` takes; absent: all. */
  readonly images?: readonly string[];
  /** Whether there are `Symbol.dispose` and `Symbol.asyncDispose`. */
  readonly hasDispose: boolean;
}

const IMAGES = ["ImageBitmap", "HTMLCanvasElement", "OffscreenCanvas", "HTMLVideoElement"];

export const PROFILES = {
  chromium: { hasDefaultLimits: false, isNameless: false, isPlain: false, hasDispose: true },
  firefox: {
    features: ["core-features-and-limits"],
    hasDefaultLimits: true,
    isNameless: true,
    isPlain: true,
    images: IMAGES,
    hasDispose: true,
  },
  safari: {
    features: ["core-features-and-limits", "shader-f16", "timestamp-query", "float32-blendable", "bgra8unorm-storage"],
    hasDefaultLimits: true,
    isNameless: true,
    isPlain: true,
    images: [...IMAGES, "VideoFrame"],
    hasDispose: false,
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;

// biome-ignore lint/suspicious/noExplicitAny: methods of WebGPU, whatever they take and return.
type AnyCall = (...args: any[]) => any;

/**
 * Has a WebGPU offer no more than the profile, from the next adapter on; what it lacks is refused as a browser refuses
 * it. For a page this must run before its scripts. The function stands alone, since its text is sent there.
 */
export function takeAway(profile: Profile, gpu: GPU): void {
  const DEFAULT_LIMITS: Record<string, number> = {
    maxBindGroups: 4,
    maxBindingsPerBindGroup: 1000,
    maxDynamicUniformBuffersPerPipelineLayout: 8,
    maxDynamicStorageBuffersPerPipelineLayout: 4,
    maxStorageBuffersPerShaderStage: 8,
    maxUniformBuffersPerShaderStage: 12,
    maxUniformBufferBindingSize: 65536,
    maxStorageBufferBindingSize: 134217728,
    minUniformBufferOffsetAlignment: 256,
    minStorageBufferOffsetAlignment: 256,
    maxBufferSize: 268435456,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupSizeY: 256,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupsPerDimension: 65535,
  };
  /** Extensions of the shading language: pointers as parameters, packed integers, numbers of groups, tight uniforms. */
  const EXTENDED =
    /\bptr\s*<|\bdot4[IU]8Packed|pack4x[IU]8|^\s*requires\b|subgroup_id|num_subgroups|workgroup_index|global_invocation_index|struct Params\s*\{[^}]*array<\s*[uif]32/m;
  const refuse = (what: string): never => {
    throw new TypeError(`this browser has no ${what}`);
  };
  /** Puts `use` in place of a method; it gets the method itself and the arguments. */
  const instead = (target: object, name: string, use: (call: AnyCall, ...args: Parameters<AnyCall>) => unknown) => {
    const method = (target as Record<string, AnyCall | undefined>)[name];
    if (typeof method !== "function") return;
    const call = method.bind(target);
    Object.defineProperty(target, name, { configurable: true, value: (...args: unknown[]) => use(call, ...args) });
  };
  const plain = (device: GPUDevice): void => {
    const needEntry = (call: (descriptor: unknown) => unknown, descriptor: { compute: { entryPoint?: string } }) =>
      descriptor.compute.entryPoint === undefined ? refuse("pipelines without an entry point") : call(descriptor);
    instead(device, "createComputePipeline", needEntry);
    instead(device, "createComputePipelineAsync", needEntry);
    instead(device, "createShaderModule", (call, descriptor) =>
      EXTENDED.test(descriptor.code) ? refuse(`such WGSL: ${EXTENDED.exec(descriptor.code)}`) : call(descriptor),
    );
    instead(device, "createBindGroup", (call, descriptor) => {
      const whole = descriptor.entries.some(({ resource }: { resource: object }) => "usage" in resource);
      return whole ? refuse("buffers or textures as resources by themselves") : call(descriptor);
    });
    instead(device, "createPipelineLayout", (call, descriptor) =>
      descriptor.bindGroupLayouts.some((layout: unknown) => !layout) ? refuse("layouts with gaps") : call(descriptor),
    );
    instead(device, "createCommandEncoder", (create, ...args) => {
      const encoder = create(...args) as GPUCommandEncoder;
      instead(encoder, "copyBufferToBuffer", (call, ...copied) =>
        copied.length < 5 ? refuse("copies of whole buffers") : call(...copied),
      );
      instead(encoder, "beginComputePass", (call, descriptor) =>
        descriptor?.timestampWrites ? refuse("times of passes") : call(descriptor ?? {}),
      );
      return encoder;
    });
    instead(device.queue, "copyExternalImageToTexture", (call, source, ...rest) => {
      const kind = source.source.constructor.name;
      return profile.images?.includes(kind) ? call(source, ...rest) : refuse(`textures of ${kind}`);
    });
  };
  const limitsOf = (adapter: GPUAdapter): GPUSupportedLimits => {
    if (!profile.hasDefaultLimits) return adapter.limits;
    return DEFAULT_LIMITS as unknown as GPUSupportedLimits;
  };
  instead(gpu, "requestAdapter", async (request, ...args) => {
    const adapter = (await request(...args)) as GPUAdapter | null;
    if (!adapter) return null;
    const features = new Set([...adapter.features].filter((name) => profile.features?.includes(name) ?? true));
    const limits = limitsOf(adapter);
    const requestDevice = async (descriptor: GPUDeviceDescriptor = {}): Promise<GPUDevice> => {
      for (const name of descriptor.requiredFeatures ?? []) if (!features.has(name)) refuse(`feature ${name}`);
      for (const [name, value] of Object.entries(descriptor.requiredLimits ?? {})) {
        const most = (limits as unknown as Record<string, number>)[name];
        if (typeof value !== "number" || most === undefined || value > most) refuse(`limit ${name} of ${value}`);
      }
      const device = await adapter.requestDevice(descriptor);
      if (profile.isPlain) plain(device);
      return device;
    };
    const info = profile.isNameless ? { vendor: "", architecture: "", device: "", description: "" } : adapter.info;
    return { features, limits, info, requestDevice };
  });
  if (profile.isPlain) Object.defineProperty(gpu, "wgslLanguageFeatures", { configurable: true, value: new Set() });
  if (profile.hasDispose) return;
  // The properties of Symbol cannot be taken away, so another function takes its place.
  const Native = Symbol;
  const Poorer = (description?: string): symbol => Native(description);
  const { dispose: _, asyncDispose: __, ...rest } = Object.getOwnPropertyDescriptors(Native) as PropertyDescriptorMap;
  Object.defineProperties(Poorer, rest);
  Object.defineProperty(globalThis, "Symbol", { configurable: true, writable: true, value: Poorer });
}
