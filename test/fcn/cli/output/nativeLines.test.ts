import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../data/trees.js";

const MODULE = fileURLToPath(new URL("../../../../packages/fcn/dist/cli/output/nativeLines.js", import.meta.url));
const folder = await temporaryFolder("fcn-native-lines");
const program = join(folder, "program.mjs");

// What is written to the descriptor goes past Node's stream, as what native code prints does.
await writeFile(
  program,
  `import { readdirSync, writeSync } from "node:fs";
import { withoutUselessLines } from ${JSON.stringify(pathToFileURL(MODULE).href)};
const open = () => readdirSync("/proc/self/fd").length;
process.stderr.write("before\\n");
const before = open();
const value = withoutUselessLines(() => {
  writeSync(2, "Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 9 to 8 to fit.\\n");
  writeSync(2, "Warning: the driver is old\\n");
  writeSync(2, "Warning: maxDynamicStorageBuffersPerPipelineLayout artificially reduced from 9 to 8 to fit.\\n");
  return "kept";
});
writeSync(2, "native again\\n");
process.stderr.write([value, open() - before, process.stderr.isTTY === true].join() + "\\n");
try {
  withoutUselessLines(() => {
    throw new Error("thrown on");
  });
} catch (error) {
  process.stderr.write(error.message + "\\n");
}
`,
);

const onLinux = process.platform === "linux" ? it : it.skip;

describe("lines that native code prints", () => {
  onLinux("are passed on to a terminal, but for those that are of no use", () => {
    const command = `'${process.execPath}' '${program}'`;
    const { status, stdout } = spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8" });
    expect(status).toBe(0);
    const lines = ["before", "Warning: the driver is old", "native again", "kept,0,true", "thrown on"];
    expect(stdout.replaceAll("\r", "").trim().split("\n")).toEqual(lines);
  });

  onLinux("are left as they are in a file or a pipe", () => {
    const { status, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
    expect(status).toBe(0);
    expect(stderr.match(/artificially reduced/g)).toHaveLength(2);
    expect(stderr).toContain("native again\nkept,0,false\nthrown on\n");
  });
});
