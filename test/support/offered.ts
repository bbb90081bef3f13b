import { probeAdapters } from "@fcn/tensor";

/** What {@link offered} found. */
export interface Offered {
  readonly features: readonly string[];
  readonly largestBuffer: number;
  readonly info: string;
  /** Whether the shading language has extensions. */
  readonly languageFeatures: boolean;
  readonly hasDispose: boolean;
  /** Whether a form of a call is refused that Chromium alone has. */
  readonly refused: boolean;
}

/** What the WebGPU of this page offers, as the library sees it. */
export async function offered(): Promise<Offered> {
  const { adapters } = await probeAdapters();
  const [{ info, features, limits }] = adapters as readonly [(typeof adapters)[number]];
  const { gpu } = navigator;
  const device = await (await gpu.requestAdapter())?.requestDevice();
  const module = device?.createShaderModule({ code: "@compute @workgroup_size(1) fn main() {}" });
  let refused = false;
  try {
    device?.createComputePipeline({ layout: "auto", compute: { module: module! } });
  } catch {
    refused = true;
  }
  device?.destroy();
  return {
    features,
    largestBuffer: limits.maxBufferSize ?? 0,
    info: `${info.vendor}${info.architecture}${info.device}${info.description}`,
    languageFeatures: [...gpu.wgslLanguageFeatures].length > 0,
    hasDispose: "dispose" in Symbol,
    refused,
  };
}
