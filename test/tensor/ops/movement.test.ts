import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, atOr, build, type Nd, random, replaced } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const int = (min: number, max: number) => fc.integer({ min, max });
const images = fc.record({
  shape: fc.tuple(int(1, 2), int(1, 7), int(1, 8), int(1, 8)),
  order: orderOf(4),
  seed: int(0, 1e6),
});
const RUNS = 12;

describe("movement", () => {
  const moves = (name: string, run: (x: t.Tensor, pick: number) => t.Tensor, expected: (x: Nd, pick: number) => Nd) =>
    it(name, () =>
      assertProperty(fc.tuple(images, int(0, 5)), RUNS, ([{ shape, order, seed }, pick]) =>
        gradCheck(device, {
          inputs: [random(shape, seed)],
          orders: [order],
          seed,
          run: (x) => run(x, pick),
          reference: (x) => expected(x, pick),
        }),
      ),
    );
  const cut = (n: number, pick: number) => Math.min(pick, n - 1);

  moves(
    "slice",
    (x, pick) => t.slice(x, [undefined, [cut(x.shape[1]!, pick)], [0, x.shape[2]!], [-1]]),
    (x, pick) => {
      const [n, c, h, w] = x.shape as [number, number, number, number];
      const from = cut(c, pick);
      return build([n, c - from, h, 1], (i) => at(x, [i[0]!, i[1]! + from, i[2]!, w - 1]));
    },
  );
  moves(
    "flip",
    (x, pick) => t.flip(x, { dims: [[3], [-2], [0, 1], [0, 1, 2, 3], [2, 2], []][pick]! }),
    (x, pick) => {
      const dims = [[3], [2], [0, 1], [0, 1, 2, 3], [2], []][pick]!;
      return build(x.shape, (i) =>
        at(
          x,
          i.map((v, d) => (dims.includes(d) ? x.shape[d]! - 1 - v : v)),
        ),
      );
    },
  );
  moves(
    "crop",
    (x, pick) =>
      t.crop(x, { top: cut(x.shape[2]!, pick), left: 0, height: x.shape[2]! - cut(x.shape[2]!, pick), width: 1 }),
    (x, pick) => {
      const top = cut(x.shape[2]!, pick);
      return build([x.shape[0]!, x.shape[1]!, x.shape[2]! - top, 1], ([n, c, y]) => at(x, [n!, c!, y! + top, 0]));
    },
  );
  moves(
    "pad",
    (x, pick) =>
      t.pad(
        x,
        [
          [0, 0],
          [pick, 1],
          [0, pick],
          [2, 0],
        ],
        { value: -0.5 },
      ),
    (x, pick) => {
      const [n, c, h, w] = x.shape as [number, number, number, number];
      return build([n, c + pick + 1, h + pick, w + 2], (i) => atOr(x, [i[0]!, i[1]! - pick, i[2]!, i[3]! - 2], -0.5));
    },
  );
  moves(
    "permute",
    (x, pick) => x.permute([pick % 4, (pick + 1) % 4, (pick + 2) % 4, ((pick + 3) % 4) - 4]),
    (x, pick) => {
      const dims = [0, 1, 2, 3].map((d) => (pick + d) % 4);
      return build(
        dims.map((d) => x.shape[d]!),
        (i) =>
          at(
            x,
            [0, 1, 2, 3].map((d) => i[dims.indexOf(d)]!),
          ),
      );
    },
  );
  moves(
    "reshape",
    (x) => x.reshape([-1, x.shape[2]!]),
    (x) => ({ shape: [x.data.length / x.shape[2]!, x.shape[2]!], data: x.data }),
  );
  moves(
    "concat, of a tensor with itself and a shifted copy",
    (x, pick) => t.concat([x, t.add(x, 1), x], { dim: (pick % 4) - 4 }),
    (x, pick) => {
      const dim = pick % 4;
      const n = x.shape[dim]!;
      const third = (v: number) => Math.floor(v / n);
      return build(
        replaced(x.shape, dim, 3 * n),
        (i) => at(x, replaced(i, dim, i[dim]! % n)) + (third(i[dim]!) === 1 ? 1 : 0),
      );
    },
  );
});
