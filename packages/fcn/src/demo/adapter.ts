import type { DeviceInfo } from "@fcn/tensor";

/** Name and value of what the nets ran on. */
export function adapterRows(info: DeviceInfo): [string, string][] {
  return [
    ["adapter", info.description || info.device],
    ["adapter kind", info.software ? "software (runs on the processor)" : "hardware"],
    ["vendor, architecture", [info.vendor, info.architecture].filter(Boolean).join(", ") || "not told"],
    ["runtime", info.runtime],
  ];
}
