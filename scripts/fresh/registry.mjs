/** The packages as `npm pack` makes them, and a registry on this machine that has nothing but them. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { run } from "./place.mjs";

/** The folders of what is published, below packages/. */
const FOLDERS = ["kernels", "tensor", "fcn"];

/**
 * Packs the packages of `root` into `folder`: `{ name, version, size, unpackedSize, file }` of each, sizes in bytes.
 * More options of npm may follow.
 */
export async function pack(root, folder, ...options) {
  const workspaces = FOLDERS.map((name) => `--workspace=packages/${name}`);
  const args = ["pack", ...workspaces, "--json", "--pack-destination", folder, ...options];
  const packed = Object.values(JSON.parse(await run("npm", args, { cwd: root })));
  return packed.map(({ filename, ...rest }) => ({ ...rest, file: join(folder, basename(filename)) }));
}

/** What a registry says about a package: its manifest, and where its tarball is. */
async function describe({ name, version, file }, root, address) {
  const manifests = await Promise.all(
    FOLDERS.map(async (folder) => JSON.parse(await readFile(join(root, "packages", folder, "package.json"), "utf8"))),
  );
  const manifest = manifests.find((item) => item.name === name);
  const integrity = `sha512-${createHash("sha512")
    .update(await readFile(file))
    .digest("base64")}`;
  const dist = { tarball: `${address}/${basename(file)}`, integrity };
  return { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
}

/** Serves the packed packages as a registry does, until `close()`; `address` goes into an .npmrc for their scope. */
export async function serve(packed, root) {
  const answers = new Map();
  const server = createServer((request, response) => {
    const answer = answers.get(decodeURIComponent(request.url.split("?")[0]));
    response.writeHead(answer ? 200 : 404, { "content-type": answer?.type ?? "text/plain" }).end(answer?.body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `http://127.0.0.1:${server.address().port}`;
  for (const item of packed) {
    const about = JSON.stringify(await describe(item, root, address));
    answers.set(`/${item.name}`, { type: "application/json", body: about });
    const body = await readFile(item.file);
    answers.set(`/${basename(item.file)}`, { type: "application/octet-stream", body });
  }
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address, close };
}
