import { readFileSync } from "node:fs";
import * as t from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";

interface Values {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface Case {
  readonly op: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Values[];
  readonly output: Values;
  /** Of the sum of the output, by each input; absent where there is none. */
  readonly gradients?: readonly (Values | null)[];
}

const file = new URL("golden/known_ops.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { readonly cases: readonly Case[] };

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** The share of a value, or of 1 where that is smaller, by which a result in float32 may be off. */
const TOLERANCE = 3e-6;

async function expectValues(what: string, got: t.Tensor, { dtype, shape, data }: Values): Promise<void> {
  expect([got.dtype, got.shape], what).toEqual([dtype, shape]);
  const values = Array.from(await got.data());
  const expected = data.map(Number);
  const near = (v: number, w: number) =>
    Number.isFinite(w) && dtype === "float32"
      ? Math.abs(v - w) <= TOLERANCE * Math.max(1, Math.abs(w))
      : Object.is(v, w);
  expect(
    values.map((v, i) => (near(v, expected[i]!) ? expected[i] : v)),
    what,
  ).toEqual(expected);
}

it("holds the cases of PyTorch", () => {
  expect(cases.length).toBe(103);
});

it.each(cases.map((c, i) => ({ ...c, name: `${i}: ${c.op} ${JSON.stringify(c.options)}` })))(
  "agrees with PyTorch in $name",
  ({ op, options, inputs, output, gradients }) =>
    device.scope(async () => {
      const tensors = inputs.map(({ dtype, shape, data }) =>
        device.tensor(data.map(Number), shape, { dtype, requiresGrad: gradients !== undefined && dtype === "float32" }),
      );
      const call = (t as unknown as Record<string, (...args: unknown[]) => t.Tensor>)[op]!;
      const y = Object.keys(options).length > 0 ? call(...tensors, options) : call(...tensors);
      await expectValues("output", y, output);
      if (!gradients) return;
      y.backward(device.ones(y.shape));
      for (const [i, gradient] of gradients.entries()) {
        if (gradient) await expectValues(`gradient of input ${i}`, tensors[i]!.grad!, gradient);
      }
    }),
);
