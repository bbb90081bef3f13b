import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, vi } from "vitest";
import { openPlace } from "../../packages/fcn/src/places/open.js";
import type { Place } from "../../packages/fcn/src/places/place.js";
import { type FileServer, startFileServer } from "./fileServer.js";
import { type S3Server, startS3Server } from "./s3Server.js";

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const namesIn = async (place: Place, prefix?: string): Promise<string[]> =>
  (await all(place.list(prefix))).map(({ name }) => name);

/** Writes all files of a folder into a place, and returns its address. */
export async function copyFolder(folder: string, address: string): Promise<string> {
  const place = await openPlace(address);
  for await (const { name } of (await openPlace(folder)).list()) await place.write(name, { file: join(folder, name) });
  return address;
}

export const setEnv = (env: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
};

/** A server of buckets, with one that is called `bucket`, and a web server, for the tests of a file. */
export function useServers(): { readonly s3: S3Server; readonly web: FileServer } {
  const servers = {} as { s3: S3Server; web: FileServer };
  beforeAll(async () => {
    servers.s3 = await startS3Server("bucket");
    servers.web = await startFileServer();
  });
  beforeEach(() => {
    vi.unstubAllEnvs();
    setEnv(servers.s3.env);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await Promise.all([servers.s3?.stop(), servers.web?.stop()]);
  });
  return servers;
}

/** 20 MiB, three parts of an upload. */
export const large = new Uint8Array(20 * 2 ** 20).map((_, i) => (i >> 10) ^ i);
