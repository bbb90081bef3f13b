import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openPlace, readAddress } from "../../../packages/fcn/src/places/open.js";
import type { Place } from "../../../packages/fcn/src/places/place.js";
import { all, bytes, large, namesIn, text, useServers } from "../../support/places.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-places");
const BUILT = new URL("../../../packages/fcn/dist/places/open.js", import.meta.url);
const servers = useServers();

const KINDS = {
  "a folder": () => join(root, "folder"),
  "a bucket": () => "s3://bucket/some/prefix/",
  "a web server": () => `${servers.web.url}/some/where`,
};
describe.each(Object.entries(KINDS))("%s", (kind, address) => {
  let place: Place;
  beforeEach(async () => {
    place = await openPlace(address());
  });

  it("gives back what was written, whole, in parts and piece by piece", async () => {
    const name = "deep/a b+ü%20#?.txt";
    expect(await place.stat(name)).toBeUndefined();
    await place.write(name, bytes("hello"));
    expect(await place.stat(name)).toMatchObject({ name, bytes: 5 });
    expect(text(await place.read(name))).toBe("hello");
    const parts = [
      [1, 3],
      [3, 100],
      [5, 1],
      [9, 9],
      [2, 0],
    ] as const;
    const read = await Promise.all(parts.map(([offset, length]) => place.read(name, { offset, length })));
    expect(read.map(text)).toEqual(["ell", "lo", "", "", ""]);
    expect(text(Buffer.concat(await all(place.stream(name))))).toBe("hello");
    await place.write(
      name,
      (async function* () {
        yield bytes("other ");
        yield bytes("text");
      })(),
    );
    expect(text(await place.read(name))).toBe("other text");
    await place.write("empty", new Uint8Array(0));
    expect(await place.stat("empty")).toMatchObject({ name: "empty", bytes: 0 });
    expect(await place.read("empty")).toHaveLength(0);
    expect(text(await readAddress(place.addressOf(name)))).toBe("other text");
    await place.remove(name);
    await place.remove(name);
    expect(await place.stat(name)).toBeUndefined();
  });

  it("takes large files, and shows nothing of those that are cut off", async () => {
    await writeFile(join(root, "large"), large);
    await place.write("large", { file: join(root, "large") });
    expect(Buffer.compare(await place.read("large"), large)).toBe(0);
    expect(text(await place.read("large", { offset: 2 ** 20, length: 3 }))).toBe(
      text(large.slice(2 ** 20, 2 ** 20 + 3)),
    );
    const cut = place.write(
      "cut",
      (async function* () {
        yield large;
        throw new Error("the end of it");
      })(),
    );
    await expect(cut).rejects.toThrow("the end of it");
    expect(await place.stat("cut")).toBeUndefined();
    // The server of the tests is told to abort the upload, which it cannot do.
    if (kind === "a bucket")
      return expect.poll(servers.s3.log).toMatch(/prefix\/cut\?uploadId=\w+&x-id=AbortMultipartUpload/);
    const kept = kind === "a folder" ? root : servers.web.folder;
    const left = async () => (await readdir(kept, { recursive: true })).filter((path) => path.includes("cut"));
    await expect.poll(left).toEqual([]);
  });

  it("says what it does not have, and refuses names that climb", async () => {
    const missing = { code: "missing-data", message: `${place.addressOf("no.png")}: there is no such file` };
    await expect(place.read("no.png")).rejects.toMatchObject(missing);
    await expect(place.read("no.png", { offset: 0, length: 1 })).rejects.toMatchObject(missing);
    await expect(all(place.stream("no.png"))).rejects.toMatchObject(missing);
    for (const name of ["", ".", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "a\0b"]) {
      const refused = { code: "invalid-argument", message: expect.stringContaining("does not name a file below it") };
      await expect(place.read(name)).rejects.toMatchObject(refused);
      await expect(place.write(name, new Uint8Array(1))).rejects.toMatchObject(refused);
      await expect(place.stat(name)).rejects.toMatchObject(refused);
      await expect(place.remove(name)).rejects.toMatchObject(refused);
    }
  });

  it.skipIf(kind === "a web server")("lists its files in the order of their names", async () => {
    const listed = await openPlace(`${address()}/listed`.replaceAll("//listed", "/listed"));
    const names = [
      "a-b.png",
      "a.png",
      "a/1.png",
      "a/b/2.png",
      "a0.png",
      "b.png",
      "z/é.png",
      "z/\u{1f600}.png",
      "z/\uffee",
    ];
    for (const name of [...names].reverse()) await listed.write(name, bytes(name));
    const inOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    // The server of the tests does not list in the order that the protocol asks for.
    const found = async (prefix?: string): Promise<string[]> => {
      const given = await namesIn(listed, prefix);
      return kind === "a bucket" ? inOrder.filter((name) => given.includes(name)) : given;
    };
    expect(await found()).toEqual(inOrder);
    expect(await all(listed.list("a/b/"))).toMatchObject([{ name: "a/b/2.png", bytes: 9 }]);
    expect(await found("a")).toEqual(inOrder.filter((name) => name.startsWith("a")));
    expect(await namesIn(listed, "none/")).toEqual([]);
  });
});

describe.each(Object.entries(KINDS))("a program that is killed while it writes into %s", (_, address) => {
  it("leaves nothing under the name", async () => {
    const program = `
      const { openPlace } = await import(${JSON.stringify(BUILT.href)});
      const place = await openPlace(process.argv[1]);
      await place.write("killed.bin", (async function* () {
        yield Buffer.alloc(20 * 2 ** 20);
        console.log("half");
        await new Promise((resolve) => setInterval(resolve, 1e6));
      })());`;
    const env = { ...process.env, ...servers.s3.env };
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, address()], { env });
    const ended = once(child, "close");
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    const place = await openPlace(address());
    expect(await place.stat("killed.bin")).toBeUndefined();
    if (place.address.startsWith("http")) return;
    expect((await namesIn(place)).filter((name) => name.includes("killed"))).toEqual([]);
  });
});
