import { describe, expect, it } from "vitest";
import { workSize } from "../../../studio/src/session/workSize.js";

describe("workSize", () => {
  it("scales the longer side down to at most a number of pixels, and never up", () => {
    expect(workSize({ height: 3000, width: 4000 }, 512)).toEqual({ height: 384, width: 512 });
    expect(workSize({ height: 4000, width: 3000 }, 512)).toEqual({ height: 512, width: 384 });
    expect(workSize({ height: 1000, width: 333 }, 512)).toEqual({ height: 512, width: 170 });
    expect(workSize({ height: 512, width: 100 }, 512)).toEqual({ height: 512, width: 100 });
    expect(workSize({ height: 20, width: 9000 }, 256)).toEqual({ height: 1, width: 256 });
  });
});
