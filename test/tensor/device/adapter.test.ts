import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const tensor = new URL("../../../packages/tensor/dist/index.js", import.meta.url);

it("finds the adapter quietly where Wayland has no runtime folder, and leaves the environment as it was", () => {
  const code = `
    const { createDevice } = await import(${JSON.stringify(tensor.href)});
    const device = await createDevice({ quiet: true });
    console.log(String(process.env.XDG_RUNTIME_DIR));
    device.destroy();`;
  const { XDG_RUNTIME_DIR: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { ...env, WAYLAND_DISPLAY: "wayland-0" },
    encoding: "utf8",
  });
  expect(stdout).toBe("undefined\n");
  expect(stderr).not.toContain("XDG_RUNTIME_DIR");
});
