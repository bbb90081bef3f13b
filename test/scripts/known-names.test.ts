import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { knownNames } from "../../scripts/lib/known-names.mjs";

const text = readFileSync(new URL("../../docs/pytorch.md", import.meta.url), "utf8");

it("docs/pytorch.md is what scripts/known-names.mjs makes of the exports", () => {
  expect(text).toBe(knownNames());
}, 60_000);

it("names what people know by their own names for it", () => {
  const rows = [...text.matchAll(/^\| `(\S+)` +\| `(\S+)` +\|/gm)].map(([, known, ours]) => `${known} ${ours}`);
  expect(rows).toContain("torch.nn.functional.conv2d conv2d");
  expect(rows).toContain("torch.nn.Conv2d nn.Conv2d");
  expect(rows).toContain("torch.optim.SGD optim.SGD");
  expect(rows).toContain("torch.Tensor.reshape Tensor.reshape");
  expect(rows).toContain("d2l.load_data_voc data.loadVoc");
});
