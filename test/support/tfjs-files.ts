import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Path of `model.min.js` of a model that the npm package nsfwjs carries. */
export function nsfwjsModel(name: "mobilenet_v2" | "mobilenet_v2_mid" | "inception_v3"): string {
  const entry = createRequire(import.meta.url).resolve("nsfwjs");
  return join(dirname(entry), "../models", name, "model.min.js");
}

/** A module around `body` as browserify and terser write it. */
export function bundle(body: string): string {
  const loader =
    "function(){return function e(t,n,r){function i(o,u){if(!n[o]){return n[o]}}for(var s=0;s<r.length;s++)i(r[s]);return i}";
  return `!function(e){module.exports=e()}(${loader}({1:[function(e,t,n){t.exports=${body}},{}]},{},[1])(1)});`;
}

export interface TfjsFiles {
  readonly model: unknown;
  /** Bytes by path in the manifest. */
  readonly shards: Readonly<Record<string, Uint8Array>>;
}

/** Writes `model.json` and its shards, and the same as bundles (`model.min.js`); returns both paths. */
export async function writeTfjs(
  folder: string,
  { model, shards }: TfjsFiles,
): Promise<{ json: string; bundled: string }> {
  await mkdir(folder, { recursive: true });
  const json = join(folder, "model.json");
  const bundled = join(folder, "model.min.js");
  await writeFile(json, JSON.stringify(model));
  await writeFile(bundled, bundle(JSON.stringify(model)));
  for (const [path, bytes] of Object.entries(shards)) {
    await writeFile(join(folder, path), bytes);
    await writeFile(join(folder, `${path}.min.js`), bundle(JSON.stringify(Buffer.from(bytes).toString("base64"))));
  }
  return { json, bundled };
}
