import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type AdapterReport, probeAdapters, TensorError } from "@fcn/tensor";
import type { Command } from "commander";
import { adapterAdvice, driverRemarks, parseOsRelease } from "../../../bin/advice.mjs";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { printResult } from "../output/output.js";

type Adapter = AdapterReport["adapters"][number];

const SLOW = "a GPU: a software adapter computes on the CPU, many times slower";
const MIB = 2 ** 20;
const LIMITS: Record<string, (value: number) => string> = {
  maxBufferSize: (value) => `${Math.floor(value / MIB)} MiB`,
  maxStorageBufferBindingSize: (value) => `${Math.floor(value / MIB)} MiB`,
  maxStorageBuffersPerShaderStage: String,
  maxComputeInvocationsPerWorkgroup: String,
  maxComputeWorkgroupStorageSize: (value) => `${value / 1024} KiB`,
  maxComputeWorkgroupsPerDimension: String,
};

/** What `fcn doctor` found, as `--json` prints it. */
export interface Diagnosis {
  readonly ok: boolean;
  readonly node: string;
  readonly platform: string;
  readonly runtime: string | null;
  readonly adapters: readonly Adapter[];
  /** What keeps this machine from running, or from running at full speed, one line each. */
  readonly missing: readonly string[];
  /** The command that fixes it and what the command does, or null if there is an adapter. */
  readonly mend: { readonly command: string; readonly why: string } | null;
}

/** The facts about this machine on which a diagnosis is based. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly osRelease: Record<string, string>;
  /** Entries of /dev; empty if it does not exist. */
  readonly devices: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of install-software-adapter.mjs as the user would type it. Only a copy of the repository has it. */
  readonly installer?: string;
}

/**
 * Judges what was found.
 *
 * @param report the adapters, or the error that kept them from being listed
 */
export function diagnose(report: AdapterReport | TensorError, machine: Machine): Diagnosis {
  const adapters = report instanceof TensorError ? [] : report.adapters;
  const head = { node: machine.node, platform: `${machine.platform}-${machine.arch}`, adapters };
  const runtime = report instanceof TensorError ? null : report.runtime;
  const best = adapters[0];
  const remarks = driverRemarks(machine);
  if (best) {
    const missing = best.info.software ? [SLOW, ...remarks] : [];
    if (!hasFixedSubgroups(best)) missing.push("subgroups of one size: convolutions run in a slower variant");
    return { ...head, ok: true, runtime, missing, mend: null };
  }
  if (report instanceof TensorError) {
    const cause = report.cause instanceof Error ? `: ${report.cause.message.split("\n")[0]}` : "";
    return { ...head, ok: false, runtime, missing: [report.message + cause], mend: { command: report.fix, why: "" } };
  }
  const missing = ["a driver that Dawn accepts: it finds no WebGPU adapter", ...remarks];
  const { command, why } = adapterAdvice(machine);
  return { ...head, ok: false, runtime, missing, mend: { command, why } };
}

function hasFixedSubgroups({ info, features }: Adapter): boolean {
  return features.includes("subgroups") && info.subgroupMinSize === info.subgroupMaxSize;
}

/** The diagnosis as text for people. */
export function formatDiagnosis(diagnosis: Diagnosis): string {
  const lines = [`Node       ${diagnosis.node} on ${diagnosis.platform}`];
  lines.push(...diagnosis.adapters.flatMap(formatAdapter));
  if (diagnosis.adapters.length === 0) lines.push("adapter    none");
  for (const line of diagnosis.missing) lines.push(`missing    ${line}`);
  if (diagnosis.mend) {
    lines.push(`fix        ${diagnosis.mend.command}`);
    if (diagnosis.mend.why) lines.push(`           ${diagnosis.mend.why}`);
  }
  return `${lines.join("\n")}\n`;
}

function formatAdapter({ info, features, limits }: Adapter): string[] {
  const kind = info.software ? "software" : "hardware";
  const subgroups = info.subgroupMaxSize > 0 ? `${info.subgroupMinSize} to ${info.subgroupMaxSize} lanes` : "none";
  return [
    `adapter    ${info.device || info.vendor} (${kind})`,
    `driver     ${info.description || "not named"}`,
    `vendor     ${[info.vendor, info.architecture].filter(Boolean).join(", ")}`,
    `runtime    ${info.runtime}`,
    `subgroups  ${subgroups}`,
    `features   ${features.join(", ")}`,
    ...Object.entries(LIMITS).map(([name, format], index) => {
      const value = limits[name];
      return `${index === 0 ? "limits" : "      "}     ${name} ${value === undefined ? "unknown" : format(value)}`;
    }),
  ];
}

async function readMachine(): Promise<Machine> {
  const installer = fileURLToPath(new URL("../../../../../scripts/install-software-adapter.mjs", import.meta.url));
  return {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    osRelease: parseOsRelease(await readFile("/etc/os-release", "utf8").catch(() => "")),
    devices: await readdir("/dev").catch(() => []),
    env: process.env,
    ...(existsSync(installer) ? { installer: relative(process.cwd(), installer) } : {}),
  };
}

async function run(given: object): Promise<void> {
  const report = await probeAdapters().catch((error: unknown) => {
    if (error instanceof TensorError) return error;
    throw error;
  });
  const diagnosis = diagnose(report, await readMachine());
  await printResult(diagnosis, formatDiagnosis, givenBy(JSON_OUTPUT, given).json);
  if (diagnosis.ok) return;
  throw new TensorError({
    code: "no-adapter",
    message: `doctor: ${diagnosis.missing.join("; ")}`,
    fix: diagnosis.mend?.command ?? "see above",
  });
}

/** Adds the flag and the action of `fcn doctor`. Without an adapter the exit code is 1. */
export const setUp = (command: Command): void => void addFlags(command, JSON_OUTPUT).action(run);
