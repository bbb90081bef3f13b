import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openPlace } from "../../../packages/fcn/src/places/open.js";
import { bytes, namesIn, text } from "../../support/places.js";
import { temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-local");

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
