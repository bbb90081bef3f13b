import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface FileServer {
  readonly url: string;
  /** The folder that it serves. */
  readonly folder: string;
  /** What it does not do, and how it answers. */
  readonly lacks: { range?: boolean; head?: boolean; put?: boolean; pieces?: boolean; status?: number; cutAt?: number };
  /** The queries with which files were asked for. */
  readonly queries: string[];
  stop(): Promise<void>;
}

/** A web server for a folder that takes files by PUT, and sends parts of them. */
export async function startFileServer(): Promise<FileServer> {
  const folder = await mkdtemp(join(tmpdir(), "file-server-"));
  const lacks: FileServer["lacks"] = {};
  const queries: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    if (search !== "") queries.push(search);
    const path = join(folder, decodeURIComponent(pathname));
    if (lacks.status !== undefined) return void response.writeHead(lacks.status).end();
    if (lacks.pieces && request.headers["transfer-encoding"]) return void response.writeHead(411).end();
    if (request.method === "PUT") return lacks.put ? void response.writeHead(405).end() : put(path, request, response);
    const size = await stat(path).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
    if (size === undefined) return void response.writeHead(404).end();
    if (request.method === "DELETE") {
      await rm(path);
      return void response.writeHead(204).end();
    }
    if (request.method === "HEAD" && lacks.head) return void response.writeHead(405).end();
    const [, from, to] = (!lacks.range && /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")) || [];
    const [start, end] = from === undefined ? [0, size - 1] : [Number(from), Math.min(Number(to), size - 1)];
    if (start >= size && size > 0) return void response.writeHead(416).end();
    response.writeHead(from === undefined ? 200 : 206, {
      "content-length": end - start + 1,
      ...(from !== undefined && { "content-range": `bytes ${start}-${end}/${size}` }),
    });
    if (request.method === "HEAD" || size === 0) return void response.end();
    const body = createReadStream(path, { start, end: Math.min(end, (lacks.cutAt ?? size) - 1) });
    await pipeline(body, response, { end: lacks.cutAt === undefined });
    if (lacks.cutAt !== undefined) response.destroy();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, folder, lacks, queries, stop };
}

/** A file that was cut off on its way does not appear. */
async function put(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    await pipeline(request, createWriteStream(temporary));
    await rename(temporary, path);
    response.writeHead(201).end();
  } finally {
    await rm(temporary, { force: true });
  }
}
