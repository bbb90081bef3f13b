import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonPieces } from "../../../../packages/fcn/src/cli/output/json.js";

it("is JSON with two spaces, as JSON.stringify gives it", () => {
  const values: fc.Arbitrary<unknown> = fc.oneof(
    fc.jsonValue(),
    fc.object({ withDate: true, withTypedArray: true, withSparseArray: true }),
    fc.dictionary(fc.string(), fc.array(fc.object())),
  );
  fc.assert(
    fc.property(values, (value) => {
      expect([...jsonPieces(value)].join("")).toBe(JSON.stringify(value, null, 2));
    }),
    {
      examples: [
        [{}],
        [{ list: [] }],
        [{ gone: undefined, list: [undefined, () => 1, "a\nb", { deep: [1] }], date: new Date(0) }],
        [new Date(0)],
      ],
    },
  );
});

it("has a piece for each element of a list, however many there are", () => {
  let [pieces, longest] = [0, 0];
  for (const piece of jsonPieces({ images: 1e5, reports: new Array(1e5).fill({ input: "a.png", shares: [1, 2] }) })) {
    pieces++;
    longest = Math.max(longest, piece.length);
  }
  expect(pieces).toBeGreaterThan(1e5);
  expect(longest).toBeLessThan(200);
});
