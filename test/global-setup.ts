import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Tests import the source, to which the shaders are written as a module; programs and threads that they start, and
 * bundles for browsers, need the built packages.
 */
export default function requireBuild(): void {
  const made = [
    "kernels/src/wgsl.generated.ts",
    ...["kernels", "tensor", "fcn"].map((name) => `${name}/dist/index.js`),
  ];
  const missing = made.filter((path) => !existsSync(fileURLToPath(new URL(`../packages/${path}`, import.meta.url))));
  if (missing.length > 0) throw new Error(`packages not built: no ${missing.join(", ")}. Run: npm run build`);
}
