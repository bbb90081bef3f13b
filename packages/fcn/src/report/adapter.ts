import type { DeviceInfo } from "@fcn/tensor";

/** The name of an adapter: the driver's description, otherwise whatever is known. */
export const adapterName = ({ description, device, vendor }: DeviceInfo): string => description || device || vendor;

/** Table rows, as name and value, about the adapter that the nets ran on. */
export function adapterRows(info: DeviceInfo): [string, string][] {
  return [
    ["adapter", adapterName(info)],
    ["adapter kind", info.software ? "software (runs on the processor)" : "hardware"],
    ["vendor, architecture", [info.vendor, info.architecture].filter(Boolean).join(", ") || "not reported"],
    ["runtime", info.runtime],
  ];
}
