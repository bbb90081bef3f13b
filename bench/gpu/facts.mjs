/** What the adapter says of itself, and what the library makes of it. */
import { cpus } from "node:os";
import { createDevice } from "@fcn/tensor";
import { openAdapter } from "../lib/raw.mjs";

export async function run({ result }) {
  const adapter = await openAdapter();
  const { vendor, architecture, device: name, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
  Object.assign(result, { vendor, architecture, device: name, description, subgroupMinSize, subgroupMaxSize });
  result.features = [...adapter.features].sort();
  result.limits = {};
  for (const key in adapter.limits) result.limits[key] = adapter.limits[key];
  result.host = {
    platform: process.platform,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.versions.node,
  };
  const device = await createDevice({ quiet: true });
  result.software = device.info.software;
  result.capabilities = { ...device.capabilities };
  device.destroy();
}

const LIMITS = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
];

export function lines({ subgroupMinSize, subgroupMaxSize, features = [], limits = {}, capabilities = {}, host = {} }) {
  return [
    `* host: ${host.cpu}, ${host.cores} cores, ${host.platform}, Node ${host.node}`,
    `* subgroups of ${subgroupMinSize} to ${subgroupMaxSize}; the library's plans use ${capabilities.subgroupSize || "none"}`,
    `* limits: ${LIMITS.map((name) => `${name} ${limits[name]}`).join(", ")}`,
    `* features: ${features.join(", ")}`,
  ];
}
