import { classOf, lanesOf } from "@fcn/kernels";
import { expect, it } from "vitest";

const rdna = { software: false, vendor: "amd" };
const intel = { software: false, vendor: "intel" };
const lanes = (traits: typeof rdna, least: number, most: number, canAsk: boolean) =>
  Object.values(lanesOf({ subgroupMinSize: least, subgroupMaxSize: most, canAsk }, classOf(traits)));

it.each([
  ["none without subgroups", rdna, [0, 0, false], [0, 0, 0]],
  ["those of the adapter where all have so many", rdna, [64, 64, true], [64, 0, 0]],
  ["the fewest where their number varies, by asking", rdna, [32, 64, true], [32, 32, 0]],
  ["none where it varies and nobody can ask", rdna, [32, 64, false], [0, 0, 0]],
  ["the fewest also for kernels that want few, on Intel", intel, [8, 32, true], [8, 8, 8]],
  ["those of the adapter for them too", intel, [16, 16, true], [16, 0, 16]],
] as const)("lanes of a subgroup are %s", (_, traits, [least, most, canAsk], want) => {
  expect(lanes(traits, least, most, canAsk)).toEqual(want);
});

it("candidates on GPUs begin with workgroup memory, and subgroups are among them", () => {
  for (const traits of [rdna, intel, { software: false, vendor: "apple" }]) {
    expect(classOf(traits).variants[0]).toBe("workgroup");
    expect(classOf(traits).variants).toContain("subgroup");
  }
});
