import childProcess from "node:child_process";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { Finding } from "./oracle.js";

/** What a reader did that no reader does: started a program, or wrote a file. */
const done: string[] = [];

const STARTERS = ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"] as const;
const WRITERS = [
  "writeFile",
  "appendFile",
  "mkdir",
  "mkdtemp",
  "rm",
  "unlink",
  "rename",
  "copyFile",
  "symlink",
] as const;

/**
 * Takes note of programs that are started and of files that are written by way of `node:fs/promises`, as the packages
 * do.
 */
export function watch(): void {
  for (const [name, module] of [
    ...STARTERS.map((name) => [name, childProcess] as const),
    ...WRITERS.map((name) => [name, fs] as const),
  ]) {
    const record = module as unknown as Record<string, (...args: unknown[]) => unknown>;
    const original = record[name] as (...args: unknown[]) => unknown;
    record[name] = (...args) => {
      done.push(`${name} ${String(args[0])}`);
      return original(...args);
    };
  }
  const { open } = fs;
  fs.open = ((path: string, flags?: string | number, mode?: number) => {
    if (flags !== undefined && flags !== "r") done.push(`open ${path} ${flags}`);
    return open(path, flags, mode);
  }) as typeof open;
  syncBuiltinESMExports();
}

const PROTOTYPES = [Object.prototype, Array.prototype, Map.prototype, Function.prototype, String.prototype];
const names = (): string => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length).join(" ");
const atStart = names();

/**
 * Throws a Finding where something was started or written since the last call, or an object that all share was changed.
 */
export function checkGuards(): void {
  const [first] = done.splice(0);
  if (first !== undefined) throw new Finding("side effect", first);
  if (names() !== atStart) throw new Finding("shared objects", "a prototype has got a property of the file");
}
