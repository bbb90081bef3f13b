import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testKinds } from "../../scripts/lib/test-kinds.mjs";

// Put together here, so that this file is fast itself.
const DEVICE = ["create", "Device"].join("");
const SPAWN = ["node:child", "process"].join("_");

it("tests are slow that open a device or start a program, themselves or in a module that they load", () => {
  const folder = mkdtempSync(join(tmpdir(), "fcn-kinds-"));
  try {
    const files = {
      "plain.test.ts": 'import { it } from "vitest";',
      "device.test.ts": `import { ${DEVICE} } from "@fcn/tensor";`,
      "program.test.ts": `import { spawnSync } from "${SPAWN}";`,
      "helper.ts": `import {\n  tools,\n} from "./tools.js";`,
      "tools.ts": `export const open = () => ${DEVICE}();\nimport "./helper.js";`,
      "helped.test.ts": 'import {\n  tools,\n} from "./helper.js";',
      "typed.test.ts": 'import type { Tools } from "./helper.js";',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    expect(testKinds(folder)).toEqual({
      fast: ["plain.test.ts", "typed.test.ts"],
      slow: ["device.test.ts", "helped.test.ts", "program.test.ts"],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
