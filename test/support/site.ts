import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** Serves a folder below a path of localhost, as a web server without settings does, while `use` runs. */
export async function serving<Result>(
  folder: string,
  base: string,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const server = createServer(({ url = "/" }, response) => {
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const file = join(folder, path.startsWith(base) ? path.slice(base.length) : "missing");
    if (!existsSync(file) || extname(file) === "") return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    return response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  return use(`http://localhost:${port}${base}`).finally(() => server.close());
}
