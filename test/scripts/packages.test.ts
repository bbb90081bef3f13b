import { describe, expect, it } from "vitest";
import { packagesAdvice } from "../../scripts/lib/packages.mjs";

describe("packagesAdvice", () => {
  const packages = ["stamps", "photos"];

  it("gives the command on Debian and its kin, and another way elsewhere", () => {
    const debian = packagesAdvice({ platform: "linux", osRelease: { ID: "ubuntu", ID_LIKE: "debian" }, packages });
    expect(debian.command).toBe("sudo apt-get install -y --no-install-recommends stamps photos");
    for (const platform of ["darwin", "win32"]) {
      const advice = packagesAdvice({ platform, osRelease: {}, packages });
      expect(advice.command).toBe("npm run transfer -- --stamps DIR --photos DIR");
      expect(advice.why).toContain("stamps and photos");
    }
  });
});
