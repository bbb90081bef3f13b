import { resolve } from "node:path";
import { invalidArgument } from "@fcn/tensor/internal";
export class Roots {
  constructor(readonly names: readonly string[]) {}
  async check(address: string): Promise<void> {
    const path = resolve(address);
    if (this.names.some((root) => path === resolve(root) || path.startsWith(`${resolve(root)}/`))) return;
    throw invalidArgument(
      `${address} does not lie below a root of the worker: ${this.names.join(", ")}`,
      "start the worker with --root",
    );
  }
}
