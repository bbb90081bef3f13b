import { TensorError } from "./errors.js";

/** The modules of Node that this package uses. */
interface NodeModules {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:fs/promises": typeof import("node:fs/promises");
  readonly "node:module": typeof import("node:module");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  readonly "node:timers/promises": typeof import("node:timers/promises");
  readonly "node:url": typeof import("node:url");
  readonly "node:util": typeof import("node:util");
  readonly "node:worker_threads": typeof import("node:worker_threads");
  readonly "node:zlib": typeof import("node:zlib");
}

/** Whether this is Node, or a runtime that has its modules, rather than a browser. */
export function isNode(): boolean {
  return typeof process !== "undefined" && Boolean(process.versions?.node);
}

/**
 * Loads a module of Node where it is used. Bundlers for browsers would follow an import: some fail on it, others
 * replace the module with an empty one. Throws `unsupported`, with a message that starts with `op`, if there is no such
 * module.
 */
export function nodeModule<Name extends keyof NodeModules>(op: string, name: Name): NodeModules[Name] {
  const found = isNode() ? process.getBuiltinModule?.(name) : undefined;
  if (found !== undefined) return found as NodeModules[Name];
  const here = isNode() ? `this is Node ${process.versions.node}` : "this is not Node";
  throw new TensorError({
    code: "unsupported",
    message: `${op}: needs Node's module ${name.slice("node:".length)}, and ${here}`,
    fix: isNode()
      ? "install Node 20.16 or newer"
      : "run it in Node; in a browser use the functions that take and return bytes",
  });
}
