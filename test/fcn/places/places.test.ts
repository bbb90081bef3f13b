import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { splitAddress } from "../../../packages/fcn/src/places/address.js";
import { fileAt, openPlace, readAddress } from "../../../packages/fcn/src/places/open.js";
import type { Place } from "../../../packages/fcn/src/places/place.js";
import { type FileServer, startFileServer } from "../../support/fileServer.js";
import { type S3Server, startS3Server } from "../../support/s3Server.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-places");
let s3: S3Server;
let web: FileServer;
beforeAll(async () => {
  s3 = await startS3Server("bucket");
  web = await startFileServer();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([s3?.stop(), web?.stop()]);
});
const setEnv = (env: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
};
beforeEach(() => {
  vi.unstubAllEnvs();
  setEnv(s3.env);
});

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const namesIn = async (place: Place, prefix?: string): Promise<string[]> =>
  (await all(place.list(prefix))).map(({ name }) => name);

const KINDS = {
  "a folder": () => join(root, "folder"),
  "a bucket": () => "s3://bucket/some/prefix/",
  "a web server": () => `${web.url}/some/where`,
};
/** 20 MiB, three parts of an upload. */
const large = new Uint8Array(20 * 2 ** 20).map((_, i) => (i >> 10) ^ i);

describe.each(Object.entries(KINDS))("%s", (kind, address) => {
  let place: Place;
  beforeEach(async () => {
    place = await openPlace(address());
  });

  it("gives back what was written, whole, in parts and piece by piece", async () => {
    const name = "deep/a b+ü%20#?.txt";
    expect(await place.stat(name)).toBeUndefined();
    await place.write(name, bytes("hello"));
    expect(await place.stat(name)).toEqual({ name, bytes: 5 });
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
    expect(await place.stat("empty")).toEqual({ name: "empty", bytes: 0 });
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
    if (kind === "a bucket") return expect.poll(s3.log).toMatch(/prefix\/cut\?uploadId=\w+&x-id=AbortMultipartUpload/);
    const kept = kind === "a folder" ? root : web.folder;
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
    expect(await all(listed.list("a/b/"))).toEqual([{ name: "a/b/2.png", bytes: 9 }]);
    expect(await found("a")).toEqual(inOrder.filter((name) => name.startsWith("a")));
    expect(await namesIn(listed, "none/")).toEqual([]);
  });
});

describe("a folder", () => {
  it("follows links that stay in it, and no others", async () => {
    const inner = join(root, "linked");
    await mkdir(join(inner, "real"), { recursive: true });
    await mkdir(join(root, "outside"));
    await writeFile(join(inner, "real", "a"), "a");
    await writeFile(join(root, "outside", "secret"), "secret");
    await symlink("real", join(inner, "in"));
    await symlink("..", join(inner, "real", "circle"));
    await symlink(join(root, "outside"), join(inner, "out"));
    await symlink(join(root, "outside", "secret"), join(inner, "secret"));
    await symlink(join(root, "outside", "new"), join(inner, "new"));
    const place = await openPlace(inner);
    expect(text(await place.read("in/a"))).toBe("a");
    expect(await namesIn(place)).toEqual(["in/a", "real/a"]);
    const refused = { code: "invalid-argument", message: expect.stringContaining("a link leads out of") };
    for (const name of ["secret", "out/secret"]) await expect(place.read(name)).rejects.toMatchObject(refused);
    for (const name of ["out/x", "out/secret"]) {
      await expect(place.write(name, new Uint8Array(1))).rejects.toMatchObject(refused);
      await expect(place.remove(name)).rejects.toMatchObject(refused);
    }
    // A link itself is replaced, and what it led to stays as it is.
    await place.write("secret", bytes("mine"));
    await place.write("new", bytes("mine"));
    expect(await readdir(join(root, "outside"))).toEqual(["secret"]);
    expect(text(await (await openPlace(join(root, "outside"))).read("secret"))).toBe("secret");
  });
});

describe("a bucket", () => {
  it("is listed page by page", async () => {
    const place = await openPlace("s3://bucket/many");
    const names = Array.from({ length: 1100 }, (_, i) => `${String(i).padStart(5, "0")}.txt`);
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map((name) => place.write(name, bytes(name))));
    }
    expect(await namesIn(place)).toEqual(names);
  });

  it("tells what is wrong in one line with its remedy", async () => {
    const fails = async (
      address: string,
      wanted: object,
      env: Readonly<Record<string, string>> = {},
    ): Promise<void> => {
      setEnv(env);
      const { place, name } = splitAddress(address);
      const opened = await openPlace(place);
      const errors = await Promise.all(
        [opened.read(name), opened.write(name, bytes("x")), all(opened.list())].map((done) =>
          done.then(
            () => undefined,
            (error: Error & { fix: string }) => error,
          ),
        ),
      );
      for (const error of errors) {
        expect(error).toMatchObject(wanted);
        expect(error?.message).not.toContain("\n");
        expect(error?.message.startsWith(place)).toBe(true);
        expect(error?.fix).toBeTruthy();
      }
    };
    await fails("s3://nobucket/a", {
      code: "missing-data",
      message: expect.stringMatching(/: there is no bucket nobucket$/),
      fix: expect.stringContaining("aws s3 mb s3://nobucket"),
    });
    const id = { AWS_ACCESS_KEY_ID: "nobody" };
    const unknown = { message: expect.stringMatching(/: the server does not know the access key$/) };
    await fails("s3://bucket/a", { ...unknown, fix: expect.stringContaining("AWS_ACCESS_KEY_ID") }, id);
    const gone = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" };
    const noAnswer = { message: expect.stringMatching(/: http:\/\/127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)$/) };
    await fails("s3://bucket/a", { ...noAnswer, code: "no-network" }, { ...s3.env, ...gone });
  });

  it("tells a denied access apart from wrong credentials", async () => {
    const denied = `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`;
    const server = createServer((_, response) => {
      response.writeHead(403, { "content-type": "application/xml" }).end(denied);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    setEnv({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const place = await openPlace("s3://bucket");
    const refused = (right: string) => ({ message: expect.stringContaining(`access is denied (${right})`) });
    await expect(place.stat("a")).rejects.toMatchObject({ ...refused("s3:GetObject"), code: "unreadable-file" });
    await expect(place.write("a", bytes("a"))).rejects.toMatchObject({
      ...refused("s3:PutObject"),
      code: "unwritable-file",
    });
    await expect(namesIn(place)).rejects.toMatchObject(refused("s3:ListBucket"));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("a web server", () => {
  it("is asked with the query of its address, and lists nothing", async () => {
    const place = await openPlace(`${web.url}/signed/?sig=a%2Bb`);
    await place.write("x.txt", bytes("x"));
    const address = place.addressOf("x.txt");
    expect(address).toBe(`${web.url}/signed/x.txt?sig=a%2Bb`);
    expect(splitAddress(address)).toEqual({ place: `${web.url}/signed?sig=a%2Bb`, name: "x.txt" });
    expect(text(await readAddress(address))).toBe("x");
    expect(web.queries).toEqual(["?sig=a%2Bb", "?sig=a%2Bb"]);
    expect(() => place.list()).toThrow(/a web server does not list its files/);
  });

  it("may know no parts, and no HEAD", async () => {
    const place = await openPlace(web.url);
    await place.write("numbers", bytes("0123456789"));
    Object.assign(web.lacks, { range: true, head: true });
    expect(text(await place.read("numbers", { offset: 2, length: 3 }))).toBe("234");
    expect(await place.stat("numbers")).toEqual({ name: "numbers", bytes: 10 });
    expect(await place.stat("none")).toBeUndefined();
    Object.assign(web.lacks, { range: false, head: false });
  });

  it("that cuts a file off, refuses, or takes none is told in one line with its remedy", async () => {
    const place = await openPlace(web.url);
    await place.write("file", large);
    web.lacks.cutAt = 3_000_000;
    const cut = /\/file: the connection failed after \d+ (of 20971520 )?bytes/;
    await expect(place.read("file")).rejects.toMatchObject({ code: "no-network", message: expect.stringMatching(cut) });
    await expect(all(place.stream("file"))).rejects.toMatchObject({ message: expect.stringMatching(cut) });
    delete web.lacks.cutAt;
    for (const [status, code] of [
      [403, "unwritable-file"],
      [405, "unwritable-file"],
      [507, "disk-full"],
    ] as const) {
      web.lacks.status = status;
      const message = expect.stringMatching(/\/file: it cannot be written: the server /);
      await expect(place.write("file", bytes("x"))).rejects.toMatchObject({ code, message });
    }
    web.lacks.status = 500;
    const refused = {
      code: "download-refused",
      message: `${web.url}/file: the server answered 500 Internal Server Error`,
    };
    await expect(place.read("file")).rejects.toMatchObject(refused);
    delete web.lacks.status;
    const nobody = await openPlace("http://127.0.0.1:1");
    const noAnswer = {
      code: "no-network",
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/a: the connection failed/),
    };
    await expect(nobody.read("a")).rejects.toMatchObject(noAnswer);
    await expect(nobody.write("a", bytes("a"))).rejects.toMatchObject(noAnswer);
  });

  it("is not told the password of an address, nor are readers of messages", async () => {
    await expect(openPlace("https://user:secret@host/x")).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.not.stringContaining("secret"),
    });
  });
});

describe("an address", () => {
  it.each([
    ["s3://bucket/a/b.tif", "s3://bucket/a", "b.tif"],
    ["s3://bucket/b.tif", "s3://bucket", "b.tif"],
    ["s3://bucket/a b?c#d.tif", "s3://bucket", "a b?c#d.tif"],
    ["https://host:8/a%20b/c%20d.png?x=1", "https://host:8/a%20b?x=1", "c d.png"],
    ["a/b.png", "a", "b.png"],
    ["b.png", ".", "b.png"],
    ["/b.png", "/", "b.png"],
    ["/12:30/a:b.png", "/12:30", "a:b.png"],
  ])("%s is split into its place and a name", async (address, place, name) => {
    expect(splitAddress(address)).toEqual({ place, name });
    expect((await openPlace(place)).addressOf(name)).toBe(address);
  });

  it("of another kind is refused", async () => {
    for (const address of [
      "ftp://host/a",
      "file:///etc/passwd",
      "gs://bucket/a",
      "https:/host/a",
      "data:,x",
      "s3:/b/x",
    ]) {
      await expect(openPlace(address), address).rejects.toMatchObject({ code: "invalid-argument" });
    }
    for (const address of ["s3://", "s3://user:pass@bucket/a", "http://", "https://%/"]) {
      await expect(openPlace(address), address).rejects.toMatchObject({ code: "invalid-argument" });
    }
    expect(() => splitAddress("s3://bucket/folder/")).toThrow(/does not name a file/);
  });

  it("of this machine stays a path for readers of files, and others come with their bytes", async () => {
    expect(await fileAt("a/b.png")).toBe("a/b.png");
    await (await openPlace("s3://bucket")).write("w.bin", bytes("weights"));
    const file = (await fileAt("s3://bucket/w.bin")) as File;
    expect([file.name, await file.text()]).toEqual(["s3://bucket/w.bin", "weights"]);
  });
});
