import { atMost, opCase } from "../cases.js";
import { type MatmulCase, type MatrixStrides, planMatmul } from "./plan.js";
import { matmul } from "./reference.js";

const dense = (rows: number, columns: number): MatrixStrides => ({ batch: [rows * columns], row: columns, column: 1 });
const transposed = ({ batch, row, column }: MatrixStrides): MatrixStrides => ({ batch, row: column, column: row });
const product = (batch: number, rows: number, inner: number, columns: number): Omit<MatmulCase, "a" | "b"> => ({
  ...{ batch: [batch], rows, inner, columns },
});

export const cases = [
  opCase({
    name: "matmul",
    choices: { batch: 1, M: 512, K: 512, N: 512 },
    small: (s) => atMost(s, { batch: 2, M: 24, K: 40, N: 24 }),
    result: ["c", "dc"],
    operands: ({ batch, M, K, N }) => ({
      a: { shape: [batch, M, K], given: "normal" },
      b: { shape: [batch, K, N], given: "normal" },
      c: { shape: [batch, M, N] },
      dc: { shape: [batch, M, N], given: "normal" },
      da: { shape: [batch, M, K] },
      db: { shape: [batch, K, N] },
    }),
    multiplyAdds: ({ batch, M, K, N }) => batch * M * K * N,
    plans: [
      {
        name: "forward",
        plan: ({ batch, M, K, N }, caps) =>
          planMatmul({ ...product(batch, M, K, N), a: dense(M, K), b: dense(K, N) }, caps),
        expected: ({ batch, M, N }, { a, b }) => ({ c: matmul(a!, b!, [batch, M, N]) }),
      },
      {
        name: "gradient of a",
        plan: ({ batch, M, K, N }, caps) =>
          planMatmul({ ...product(batch, M, N, K), a: dense(M, N), b: transposed(dense(K, N)) }, caps),
        operands: { a: "dc", c: "da" },
        gradients: { da: "a" },
      },
      {
        name: "gradient of b",
        plan: ({ batch, M, K, N }, caps) =>
          planMatmul({ ...product(batch, K, M, N), a: transposed(dense(M, K)), b: dense(M, N) }, caps),
        operands: { b: "dc", c: "db" },
        gradients: { db: "b" },
      },
    ],
  }),
];
