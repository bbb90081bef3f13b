import { createReadStream } from "node:fs";
import { copyFile, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileError } from "../data/files/errors.js";
import type { Place } from "./place.js";
export async function openPlace(address: string): Promise<Place> {
  const root = resolve(address);
  const missing =
    (name: string) =>
    (cause: unknown): never => {
      throw fileError("missing-data", join(root, name), "it does not exist", "check the path", cause);
    };
  return {
    address: root,
    addressOf: (name) => join(root, name),
    stat: (name) =>
      stat(join(root, name)).then(
        ({ size }) => ({ name, bytes: size }),
        () => undefined,
      ),
    async *list() {},
    read: async (name, range) => {
      if (!range) return readFile(join(root, name)).catch(missing(name));
      const file = await open(join(root, name)).catch(missing(name));
      try {
        const b = new Uint8Array(range.length);
        await file.read(b, 0, range.length, range.offset);
        return b;
      } finally {
        await file.close();
      }
    },
    stream: (name) => createReadStream(join(root, name)),
    write: async (name, content) => {
      const path = join(root, name);
      await mkdir(dirname(path), { recursive: true });
      const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
      if (content instanceof Uint8Array) {
        const f = await open(temporary, "w");
        await f.write(content);
        await f.close();
      } else if ("file" in content) await copyFile(content.file, temporary);
      else {
        const f = await open(temporary, "w");
        for await (const p of content) await f.write(p);
        await f.close();
      }
      await rename(temporary, path);
    },
    remove: (name) => rm(join(root, name), { force: true }),
  };
}
export async function splitAddress(address: string) {
  const p = resolve(address);
  return { place: await openPlace(dirname(p)), name: basename(p) };
}
