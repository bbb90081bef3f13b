import { TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { diagnose, formatDiagnosis, type Machine } from "../../../../packages/fcn/src/cli/commands/doctor.js";

type Report = Exclude<Parameters<typeof diagnose>[0], TensorError>;
type Info = Report["adapters"][number]["info"];

const machine: Machine = {
  node: "v22.1.0",
  platform: "linux",
  arch: "x64",
  osRelease: { ID: "debian", VERSION_CODENAME: "bookworm" },
  devices: ["null"],
  env: {},
  installer: "scripts/install-software-adapter.mjs",
};

function report(info: Partial<Info>, features = ["subgroups"]): Report {
  const full: Info = {
    vendor: "acme",
    architecture: "gen-9",
    device: "Card 9",
    description: "Acme driver 1.2.3",
    software: false,
    runtime: "dawn-node",
    subgroupMinSize: 32,
    subgroupMaxSize: 32,
    ...info,
  };
  const limits = { maxBufferSize: 2 ** 32 - 4, maxStorageBufferBindingSize: 2 ** 27 };
  return { runtime: "dawn-node", adapters: [{ info: full, features, limits }] };
}

describe("diagnose", () => {
  it("finds nothing missing on a GPU with subgroups of one size", () => {
    expect(diagnose(report({}), machine)).toMatchObject({ ok: true, missing: [], mend: null, platform: "linux-x64" });
  });

  it("names what slows a machine down", () => {
    const varying = diagnose(report({ subgroupMinSize: 8 }), machine);
    expect(varying.missing).toEqual([expect.stringContaining("subgroups")]);
    expect(diagnose(report({}, []), machine).missing).toEqual(varying.missing);
  });

  it("says that an adapter is software, and why a card is not seen", () => {
    const plain = diagnose(report({ software: true }), machine);
    expect(plain).toMatchObject({ ok: true, missing: [expect.stringContaining("a GPU")] });
    const hidden = diagnose(report({ software: true }), { ...machine, devices: ["nvidiactl"] });
    expect(hidden.missing).toEqual([expect.stringContaining("a GPU"), expect.stringContaining("NVIDIA")]);
  });

  it("gives the command of the system when there is no adapter", () => {
    const none: Report = { runtime: "dawn-node", adapters: [] };
    expect(diagnose(none, machine)).toMatchObject({
      ok: false,
      mend: { command: "sudo node scripts/install-software-adapter.mjs" },
    });
    const fedora = diagnose(none, { ...machine, osRelease: { ID: "fedora" }, env: { VK_DRIVER_FILES: "/x.json" } });
    expect(fedora.mend?.command).toMatch(/^sudo dnf install/);
    expect(fedora.missing).toEqual([expect.stringContaining("driver"), expect.stringContaining("/x.json")]);
  });

  it("passes on why WebGPU itself is absent", () => {
    const parts = { code: "no-webgpu", message: "webgpu could not be loaded", fix: "npm install webgpu" } as const;
    const found = diagnose(new TensorError(parts, { cause: new Error("no such file\nmore") }), machine);
    expect(found).toMatchObject({
      ok: false,
      runtime: null,
      missing: ["webgpu could not be loaded: no such file"],
      mend: { command: "npm install webgpu" },
    });
  });
});

describe("formatDiagnosis", () => {
  it("prints adapter, driver, limits and features", () => {
    const text = formatDiagnosis(diagnose(report({}), machine));
    expect(text).toContain("Card 9 (hardware)");
    expect(text).toContain("Acme driver 1.2.3");
    expect(text).toContain("32 to 32 lanes");
    expect(text).toContain("maxBufferSize 4095 MiB");
    expect(text).toContain("maxStorageBufferBindingSize 128 MiB");
    expect(text).not.toContain("missing");
  });

  it("prints the command that fixes it", () => {
    const text = formatDiagnosis(diagnose({ runtime: "dawn-node", adapters: [] }, machine));
    expect(text).toMatch(/adapter +none\n/);
    expect(text).toMatch(/fix +sudo node scripts/);
  });
});
