import { type PointwiseName, type PointwiseRow, planFlat, planStrided, pointwise, sourcesOf } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import {
  boundElements,
  expectGridOver,
  largeDevice,
  originOf,
  placeAt,
  scalar,
  smallDevice,
  soundSteps,
  vectors,
} from "../../support/plans.js";

const names = Object.keys(pointwise) as PointwiseName[];
const parts = names.flatMap((name) => {
  const row: PointwiseRow = pointwise[name];
  return (["forward", "da", "db"] as const).filter((part) => row[part]).map((part) => [name, part] as const);
});

describe("the plans of every row", () => {
  it.each(parts)("%s %s give their kernels what these read, flat and strided", (name, part) => {
    soundSteps(planFlat({ name, part }, 5000, smallDevice), smallDevice);
    const strides = Object.fromEntries(sourcesOf(name, part).map((id) => [id, [0, 1]]));
    soundSteps(planStrided({ name, part }, [3, 4], strides, smallDevice), smallDevice);
  });
});

describe("a strided plan", () => {
  const add = { name: "add", part: "forward" } as const;

  it("places every element of each operand", () => {
    const sizes = [2, 3, 2, 2, 3, 2, 2, 3];
    const dense = [432, 144, 72, 36, 12, 6, 3, 1];
    const repeated = [0, 24, 0, 12, 0, 6, 0, 2];
    const [step] = soundSteps(planStrided(add, sizes, { a: dense, b: repeated }, largeDevice), largeDevice);
    const strides = vectors(step!.params, "strides");
    const lane = (i: number) => strides.map((own) => own[i]!);
    const found = step!.params.sizes as number[];
    const reversed = (list: readonly number[]) => [...list].reverse();
    for (let id = 0; id < scalar(step!.params, "count"); id++) {
      expect(placeAt(id, found, lane(0))).toBe(id);
      expect(placeAt(id, found, lane(1))).toBe(placeAt(id, reversed(sizes), reversed(repeated)));
      expect(placeAt(id, found, lane(2))).toBe(id);
    }
  });

  it("merges dims, and does nothing for an empty result", () => {
    const plan = planStrided(add, [4, 5, 6], { a: [30, 6, 1], b: [0, 6, 1] }, largeDevice);
    expect(plan.steps[0]?.params.sizes).toEqual([30, 4]);
    expect(plan.steps[0]?.params.strides).toEqual([1, 1, 1, 0, 30, 0, 30, 0]);
    expect(planStrided(add, [4, 0], { a: [0, 1], b: [0, 1] }, largeDevice).steps).toEqual([]);
  });

  it("of one element has one dim", () => {
    const [step] = soundSteps(planStrided(add, [1, 1], { a: [0, 0], b: [0, 0] }, largeDevice), largeDevice);
    expect(step?.params.count).toBe(1);
  });
});

it("a flat plan covers all vectors within the binding limit", () => {
  const steps = soundSteps(planFlat({ name: "relu", part: "forward" }, 5003, smallDevice), smallDevice);
  expect(steps.map(({ params }) => params.count)).toEqual([256, 256, 256, 256, 227]);
});

it("a flat plan binds the operands by their names, a vector of four to a thread", () => {
  const [step] = soundSteps(planFlat({ name: "clamp", part: "da", s: 1, t: 2 }, 1000, largeDevice), largeDevice);
  expect(step?.operands).toEqual({ in_a: "a", in_g: "g", result: "result" });
  expect(step?.params).toMatchObject({ count: 250, s: 1, t: 2 });
  expectGridOver(step!, 250);
  for (const part of soundSteps(planFlat({ name: "relu", part: "forward" }, 5003, smallDevice), smallDevice)) {
    expect(boundElements(part, "in_a", 5003)).toEqual(boundElements(part, "result", 5003));
    expect((part.operands.result as { operand: string }).operand).toBe("result");
  }
  expect(planFlat({ name: "relu", part: "forward" }, 8, largeDevice).steps[0]?.params).toMatchObject({ s: 0, t: 0 });
});

it("a strided plan in parts places every element of each operand", () => {
  const [rows, columns] = [60, 70];
  const steps = soundSteps(
    planStrided({ name: "add", part: "forward" }, [rows, columns], { a: [1, rows], b: [0, 1] }, smallDevice),
    smallDevice,
  );
  expect(steps.length).toBeGreaterThan(1);
  const seen = new Set<number>();
  for (const step of steps) {
    const { params } = step;
    for (const operand of Object.values(step.operands)) expect(operand).toHaveProperty("byteLength");
    const lists = vectors(params, "strides");
    const offsets = params.offsets as number[];
    const place = (id: number, lane: number, name: string) =>
      originOf(step, name) +
      offsets[lane]! +
      placeAt(
        id,
        params.sizes as number[],
        lists.map((own) => own[lane]!),
      );
    for (let id = 0; id < scalar(params, "count"); id++) {
      const at = place(id, 2, "result");
      expect(place(id, 0, "in_a")).toBe((at % columns) * rows + Math.floor(at / columns));
      expect(place(id, 1, "in_b")).toBe(at % columns);
      seen.add(at);
    }
    expectGridOver(step, scalar(params, "count"));
  }
  expect(seen.size).toBe(rows * columns);
  const [whole] = planStrided({ name: "add", part: "forward" }, [3, 4], { a: [1, 3] }, largeDevice).steps;
  expect(whole?.operands).toEqual({ in_a: "a", in_b: "b", result: "result" });
});

describe("the text of a kernel", () => {
  const flat = (name: PointwiseName, part: "forward" | "da" = "forward") =>
    planFlat({ name, part }, 8, largeDevice).steps[0]!.kernel;
  const strided = (name: PointwiseName, part: "forward" | "da" = "forward") =>
    planStrided({ name, part }, [2, 3], { a: [1, 2], b: [0, 1] }, largeDevice).steps[0]!.kernel;

  it("says its row, its part and its rank", () => {
    expect(flat("relu").name).toBe("pointwise/relu-forward-flat");
    expect(strided("add", "da").name).toBe("pointwise/add-da-1");
    expect(strided("add").name).toBe("pointwise/add-forward-2");
  });

  it("has the types of its row", () => {
    const types = ({ source }: { source: string }) =>
      ["T", "R"].map((id) => new RegExp(`^alias ${id} = (\\w+);$`, "m").exec(source)?.[1]);
    expect([flat("relu"), strided("add")].map(types)).toEqual([
      ["vec4f", "vec4f"],
      ["f32", "f32"],
    ]);
    expect([flat("toFloat"), strided("toFloat")].map(types)).toEqual([
      ["vec4i", "vec4f"],
      ["i32", "f32"],
    ]);
    for (const { name, source } of [flat("toFloat"), strided("toFloat")])
      expect(source).toContain(name.endsWith("flat") ? "alias In_a = vec4i;" : "alias In_a = i32;");
  });

  it("loads each operand from its place, and stores there", () => {
    expect(flat("relu").source).toContain(
      "  let a = T(in_a[id]);\n  result[id] = Result(R(select(max(a, T(0.0)), a, isNan(a))));",
    );
    expect(strided("add").source).toContain(
      "  let a = T(in_a[at.x]);\n  let b = T(in_b[at.y]);\n  result[at.z] = Result(R(a + b));",
    );
    expect(flat("sigmoid").source).toContain("R(T(1.0) / (T(1.0) + exp(-a)))");
  });

  it("has the functions that its expression calls, and no others", () => {
    const functions = ({ source }: { source: string }) =>
      [...source.matchAll(/^fn (\w+)\(\w: (\w+)/gm)].map(([, name, type]) => `${name} ${type}`);
    const scalars = ["powerOf f32", "powerSlopeOf f32"];
    expect(functions(flat("relu"))).toEqual(["isNan vec4f"]);
    expect(functions(strided("relu"))).toEqual(["isNan f32"]);
    expect(functions(flat("exp"))).toEqual([]);
    expect(functions(flat("powScalar"))).toEqual(
      expect.arrayContaining([...scalars, "power vec4f", "powerSlope vec4f"]),
    );
    expect(functions(strided("powScalar"))).toEqual(
      expect.arrayContaining([...scalars, "power f32", "powerSlope f32"]),
    );
    for (const { source } of [flat("exp"), flat("relu"), flat("powScalar"), strided("add")])
      expect(source).not.toMatch(/undefined|Stryker/);
  });

  it("reads what its expression names", () => {
    expect(sourcesOf("relu", "da")).toEqual(["y", "g"]);
    expect(sourcesOf("add", "da")).toEqual(["g"]);
    expect(sourcesOf("add", "forward")).toEqual(["a", "b"]);
    expect(sourcesOf("exp", "forward")).toEqual(["a"]);
    expect(sourcesOf("exp", "db")).toEqual([]);
  });
});
