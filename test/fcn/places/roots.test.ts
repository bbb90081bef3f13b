import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Roots } from "../../../packages/fcn/src/places/roots.js";
import { assertProperty } from "../../support/property.js";
import { temporaryFolder } from "../data/trees.js";

const root = realpathSync(await temporaryFolder("fcn-roots"));
const [data, outside] = [join(root, "data"), join(root, "data2")];
mkdirSync(join(data, "a", "b"), { recursive: true });
mkdirSync(outside);
for (const path of [join(data, "a", "x"), join(data, "a", "b", "x"), join(outside, "x")]) writeFileSync(path, "x");
symlinkSync(outside, join(data, "out"));
symlinkSync("../..", join(data, "a", "up"));
symlinkSync("b", join(data, "a", "in"));
symlinkSync(join(outside, "new"), join(data, "new"));
symlinkSync("loop", join(data, "loop"));
symlinkSync(data, join(root, "same"));

const roots = new Roots([data, "s3://bucket/prefix/", "https://host/x", "http://host:8080"]);
const allows = (address: string): Promise<boolean> =>
  roots.check(address).then(
    () => true,
    (error: { code: string; fix: string }) => {
      expect(error).toMatchObject({ code: "invalid-argument", fix: expect.stringMatching(/./) });
      return false;
    },
  );

describe("roots", () => {
  it.each([
    data,
    `${data}/`,
    join(data, "a", "x"),
    join(data, "none", "yet.png"),
    join(data, "a", "in", "x"),
    join(root, "same", "a", "x"),
    join(data, "with space ü.png"),
    join(data, "a..b"),
    "s3://bucket/prefix",
    "s3://bucket/prefix/a/b.tif",
    "S3://bucket/prefix/%41?#",
    "https://host/x",
    "https://host/x/a%20b.png?sig=1",
    "HTTPS://HOST:443/x/a",
    "http://host:8080/any/thing",
  ])("have %s below them", async (address) => {
    expect(await allows(address)).toBe(true);
  });

  it.each([
    root,
    outside,
    `${data}2/x`,
    data.toUpperCase(),
    `${data}/../data2/x`,
    `${data}/a/../x`,
    `${data}/out/x`,
    `${data}/a/up/data2/x`,
    `${data}/new`,
    `${data}/loop`,
    `${data}/a\n/x`,
    "data/x",
    "",
    "s3://bucket",
    "s3://bucket/prefix2/a",
    "s3://bucket/Prefix/a",
    "s3://bucket2/prefix/a",
    "s3://Bucket/prefix/a",
    "s3://user:pass@bucket/prefix/a",
    "s3://bucket/prefix/../a",
    "s3://bucket/prefix/%2e%2E/a",
    "s3:/bucket/prefix/a",
    "https://host/x2",
    "https://host/X/a",
    "https://host/",
    "https://host:8443/x/a",
    "http://host/x/a",
    "https://host.evil/x/a",
    "https://evil/https://host/x/a",
    "https://user:pass@host/x/a",
    "https://host@evil/x/a",
    "https://host\\@evil/x/a",
    "https://host/x/../y",
    "https://host/x/%2e%2e/y",
    "https://host/x/.%2E/y",
    "https://host/x/%252e%252e/y",
    "https://host/x%2f..%2fy",
    "https://host/x/..%5cy",
    "https://host/x/..;/y",
    "https://host/x\\..\\y",
    "https:/host/x/a",
    "https:host/x/a",
    "//host/x/a",
    "file:///etc/passwd",
    `file://${data}/a/x`,
    "data:,x",
    "ftp://host/x/a",
  ])("do not have %s below them", async (address) => {
    expect(await allows(address)).toBe(false);
  });

  it("name themselves to who is refused, and allow nothing where there are none", async () => {
    const message = `/etc/passwd: the address is not below a root (${data}, s3://bucket/prefix/, https://host/x, http://host:8080)`;
    await expect(roots.check("/etc/passwd")).rejects.toMatchObject({ message, details: { file: "/etc/passwd" } });
    await expect(roots.check("s3://bucket/prefix/a\tb")).rejects.toMatchObject({
      message: "s3://bucket/prefix/a\\u0009b: it holds a control character",
    });
    await expect(new Roots([]).check(data)).rejects.toMatchObject({
      message: expect.stringContaining("there are none"),
    });
    expect(() => new Roots(["https://user:pass@host"])).toThrow("a user name or a password");
    expect(() => new Roots(["s3://"])).toThrow('s3://: "" is not the name of a bucket');
    expect(() => new Roots(["https://host/x?sig=1"])).toThrow("a root is the beginning of addresses");
  });

  const parts = fc.constantFrom(
    "a",
    "b",
    "in",
    "out",
    "up",
    "new",
    "x",
    "data",
    "data2",
    "same",
    "..",
    ".",
    "",
    "...",
    "%2e%2e",
    "..%2f",
    " ..",
  );
  const tails = fc.array(parts, { maxLength: 6 }).map((names) => names.join("/"));

  it("never let the system reach a file of this machine that lies elsewhere", async () => {
    let reached = 0;
    await assertProperty(
      fc.tuple(fc.constantFrom(root, data, join(root, "same")), tails),
      2000,
      async ([from, tail]) => {
        const address = `${from}/${tail}`;
        const isThere = existsSync(address);
        const isBelow = isThere && `${realpathSync(address)}/`.startsWith(`${data}/`);
        if (await allows(address)) expect([address, isThere, isBelow]).toEqual([address, isThere, isThere]);
        else if (isBelow) expect(tail).toContain("..");
        if (isBelow) reached++;
      },
    );
    expect(reached).toBeGreaterThan(100);
  });

  it("never let an address lead to another server or out of the path, however it is decoded", async () => {
    const hosts = fc.constantFrom(
      "host",
      "host",
      "host",
      "host",
      "HOST",
      "host2",
      "host:443",
      "host:8080",
      "a@host",
      "host@b",
      "host\\",
      "host%2f",
      "host.",
    );
    const tricks = fc.constantFrom("x2", "..", "%2e.", "%252e%252e", "..%2f", "%5c..%5c", "..;a", "");
    const plain = fc.constantFrom("x", "x", "y");
    const paths = fc.array(fc.oneof({ weight: 3, arbitrary: plain }, tricks), { maxLength: 5 });
    let allowed = 0;
    await assertProperty(
      fc.tuple(fc.constantFrom("https://", "https://", "https:", "https:\\\\"), hosts, paths),
      2000,
      async ([scheme, host, path]) => {
        const address = `${scheme}${host}/${path.join("/")}`;
        if (!(await allows(address))) return;
        allowed++;
        const url = new URL(address);
        expect([url.protocol, url.host, url.username, url.password]).toEqual(["https:", "host", "", ""]);
        let pathname = url.pathname;
        for (let i = 0; i < 3; i++)
          pathname = new URL(decodeURIComponent(pathname.replaceAll("\\", "/")), "https://host").pathname;
        expect(`${pathname}/`.startsWith("/x/"), address).toBe(true);
      },
    );
    expect(allowed).toBeGreaterThan(20);
  });
});
