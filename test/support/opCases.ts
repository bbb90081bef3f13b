import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyOpCase } from "@fcn/kernels";

const source = join(import.meta.dirname, "../../packages/kernels/src");
const folders = readdirSync(source, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
);

/** Folders of ops: those that hold kernels, and the table, of which kernels are made. */
export const shaderFolders = folders.filter(
  (folder) => folder === "pointwise" || readdirSync(join(source, folder)).some((file) => file.endsWith(".wgsl")),
);

const loaded = await Promise.all(
  folders
    .filter((folder) => existsSync(join(source, folder, "cases.ts")))
    .map(async (folder) => {
      const { cases } = (await import(pathToFileURL(join(source, folder, "cases.ts")).href)) as { cases: AnyOpCase[] };
      return cases.map((op) => ({ folder, op }));
    }),
);

/** The cases of all ops, with the folder of each. */
export const opCases = loaded.flat();

/** What a case begins with. */
export const settingsOf = ({ choices }: AnyOpCase) =>
  Object.fromEntries(
    Object.entries(choices).map(([name, choice]) => [name, typeof choice === "object" ? choice[0]! : choice]),
  );
