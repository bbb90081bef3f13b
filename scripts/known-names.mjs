/**
 * Writes docs/pytorch.md: what stands for the names of PyTorch, torchvision and the d2l book.
 *
 *   node scripts/known-names.mjs        after `npm run build`
 */
import { writeFileSync } from "node:fs";
import { knownNames } from "./lib/known-names.mjs";

writeFileSync(new URL("../docs/pytorch.md", import.meta.url), knownNames());
console.log("wrote docs/pytorch.md");
