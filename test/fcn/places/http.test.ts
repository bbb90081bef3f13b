import { describe, expect, it } from "vitest";
import { splitAddress } from "../../../packages/fcn/src/places/address.js";
import { openPlace, readAddress } from "../../../packages/fcn/src/places/open.js";
import { all, bytes, large, text, useServers } from "../../support/places.js";

const servers = useServers();

describe("a web server", () => {
  it("is asked with the query of its address, and lists nothing", async () => {
    const place = await openPlace(`${servers.web.url}/signed/?sig=a%2Bb`);
    await place.write("x.txt", bytes("x"));
    const address = place.addressOf("x.txt");
    expect(address).toBe(`${servers.web.url}/signed/x.txt?sig=a%2Bb`);
    expect(splitAddress(address)).toEqual({ place: `${servers.web.url}/signed?sig=a%2Bb`, name: "x.txt" });
    expect(text(await readAddress(address))).toBe("x");
    expect(servers.web.queries).toEqual(["?sig=a%2Bb", "?sig=a%2Bb"]);
    expect(() => place.list()).toThrow(/a web server does not list its files/);
  });

  it("may know no parts, and no HEAD", async () => {
    const place = await openPlace(servers.web.url);
    await place.write("numbers", bytes("0123456789"));
    Object.assign(servers.web.lacks, { range: true, head: true });
    expect(text(await place.read("numbers", { offset: 2, length: 3 }))).toBe("234");
    expect(await place.stat("numbers")).toEqual({ name: "numbers", bytes: 10 });
    expect(await place.stat("none")).toBeUndefined();
    Object.assign(servers.web.lacks, { range: false, head: false });
  });

  it("may want to know the length of a file beforehand", async () => {
    const place = await openPlace(servers.web.url);
    servers.web.lacks.pieces = true;
    const pieces = async function* () {
      yield bytes("piece ");
      yield bytes("by piece");
    };
    await place.write("pieces", pieces());
    delete servers.web.lacks.pieces;
    expect(text(await place.read("pieces"))).toBe("piece by piece");
  });

  it("that cuts a file off, refuses, or takes none is told in one line with its remedy", async () => {
    const place = await openPlace(servers.web.url);
    await place.write("file", large);
    servers.web.lacks.cutAt = 3_000_000;
    const cut = /\/file: the connection failed after \d+ (of 20971520 )?bytes/;
    await expect(place.read("file")).rejects.toMatchObject({ code: "no-network", message: expect.stringMatching(cut) });
    await expect(all(place.stream("file"))).rejects.toMatchObject({ message: expect.stringMatching(cut) });
    delete servers.web.lacks.cutAt;
    for (const [status, code] of [
      [403, "unwritable-file"],
      [405, "unwritable-file"],
      [507, "disk-full"],
    ] as const) {
      servers.web.lacks.status = status;
      const message = expect.stringMatching(/\/file: it cannot be written: the server /);
      await expect(place.write("file", bytes("x"))).rejects.toMatchObject({ code, message });
    }
    servers.web.lacks.status = 503;
    const busy = { code: "no-network", message: `${servers.web.url}/file: the server is too busy (503)` };
    const write = () => place.write("file", bytes("x"));
    for (const work of [() => place.read("file"), () => place.stat("file"), write]) {
      await expect(work()).rejects.toMatchObject(busy);
    }
    servers.web.lacks.status = 500;
    const refused = {
      code: "download-refused",
      message: `${servers.web.url}/file: the server answered 500 Internal Server Error`,
    };
    await expect(place.read("file")).rejects.toMatchObject(refused);
    delete servers.web.lacks.status;
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
