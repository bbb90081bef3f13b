import type { DeviceInfo } from "@fcn/tensor";

/** What an adapter is called: by its driver, or else by what is known. */
export const adapterName = ({ description, device, vendor }: DeviceInfo): string => description || device || vendor;

/** Name and value of what the nets ran on. */
export function adapterRows(info: DeviceInfo): [string, string][] {
  return [
    ["adapter", adapterName(info)],
    ["adapter kind", info.software ? "software (runs on the processor)" : "hardware"],
    ["vendor, architecture", [info.vendor, info.architecture].filter(Boolean).join(", ") || "not told"],
    ["runtime", info.runtime],
  ];
}
