import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Tests import the built packages, so a missing build would show as a hundred unresolved imports. */
export default function requireBuild(): void {
  const missing = ["kernels", "tensor", "fcn"].filter((name) => {
    return !existsSync(fileURLToPath(new URL(`../packages/${name}/dist/index.js`, import.meta.url)));
  });
  if (missing.length > 0) {
    throw new Error(`packages not built: ${missing.join(", ")} (no dist/index.js). Run: npm run build`);
  }
}
