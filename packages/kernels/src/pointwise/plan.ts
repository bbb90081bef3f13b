import { boxOperand, boxParts, flatOperand, flatRanges } from "../bindingParts.js";
import { denseStrides, mergeDims } from "../dims.js";
import type { Kernel } from "../kernel.js";
import { type Capabilities, ceilDiv, foldGrid, MAX_RANK, NAN_BITS, type Plan, product, type Step } from "../plan.js";
import { calledFunctions } from "./functions.js";
import { rowNamed } from "./row.js";
import type * as rows from "./rows.js";

const WG = 64;
const IS_NAN_SCALAR = `
fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }`;
const IS_NAN_VEC = `
fn isNan(v: vec4f) -> vec4<bool> { return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }`;

export type PointwiseName = keyof typeof rows;

/** The rows of this many operands. */
export type RowOf<N extends 1 | 2> = Extract<(typeof rows)[PointwiseName], { readonly arity: N }>;

/** What to compute from a row: the result, that of int32 operands, or the gradient of one input. */
export type Part = "forward" | "integer" | "da" | "db";
export type Source = "a" | "b" | "c" | "y" | "g";

/** The inputs that an expression reads, in binding order. */
export function sourcesOf(name: string, part: Part): Source[] {
  const expression = rowNamed(name)[part] ?? "";
  return (["a", "b", "c", "y", "g"] as const).filter((id) => new RegExp(`\\b${id}\\b`).test(expression));
}

const typeOf = (dtype: "int32" | undefined, flat: boolean): string =>
  dtype === "int32" ? (flat ? "vec4i" : "i32") : flat ? "vec4f" : "f32";

/** The kernel of a row: over vectors where `rank` is 0, else over a box with strides and an offset for each operand. */
function emit(name: string, part: Part, rank: number): Kernel {
  const row = rowNamed(name);
  const expression = row[part]!;
  const sources = sourcesOf(name, part);
  const flat = rank === 0;
  const integer = part === "integer" ? "int32" : undefined;
  const T = typeOf(integer ?? row.takes, flat);
  const R = typeOf(integer ?? row.gives, flat);
  const C = sources.includes("c") ? `alias C = ${typeOf("int32", flat)};\n` : "";
  const typeName = (id: Source) => (id === "c" ? "C" : "T");
  // Types of their own for each operand as it lies in memory, where it may be halves.
  const stored = [
    ...sources.map((id) => `alias In_${id} = ${id === "c" ? typeOf("int32", flat) : T};`),
    `alias Result = ${R};`,
  ];
  const bindings = sources.map((id, i) => `@group(0) @binding(${i + 1}) var<storage, read> in_${id}: array<In_${id}>;`);
  const placed = [...sources, RESULT];
  const place = (id: string) => (flat ? "id" : `at.${LANES[placed.indexOf(id)]}`);
  const loads = sources.map((id) => `  let ${id} = ${typeName(id)}(in_${id}[${place(id)}]);`);
  const isNan = expression.includes("isNan(") ? (flat ? IS_NAN_VEC : IS_NAN_SCALAR) : "";
  const source = `// ${name}, ${part}: result = ${expression}
alias T = ${T};
alias R = ${R};
${C}${stored.join("\n")}
const WG: u32 = ${WG}u;
${flat ? "" : `const RANK: u32 = ${rank}u;\n`}struct Params { count: u32, s: f32, t: f32, nanBits: u32,${flat ? "" : BOX_FIELDS} }
@group(0) @binding(0) var<uniform> p: Params;
${bindings.join("\n")}
@group(0) @binding(${sources.length + 1}) var<storage, read_write> result: array<Result>;
${isNan}${calledFunctions(expression, row.calls ?? [], flat)}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
${flat ? "" : PLACES}
${loads.join("\n")}
  result[${place(RESULT)}] = Result(R(${expression}));
}
`;
  return { name: `pointwise/${name}-${part}-${flat ? "flat" : rank}`, source };
}

/** The operand that a kernel writes. */
const RESULT = "result";

/** The lanes of vectors that hold a number for each operand. */
const LANES = "xyzw";

const BOX_FIELDS = ` offsets: vec4u, sizes: array<vec4u, ${MAX_RANK / 4}>, strides: array<vec4u, ${MAX_RANK}>,`;

/** The offset of element `id` of a box in each operand. */
const PLACES = `  var rest = id;
  var at = p.offsets;
  for (var i = 0u; i + 1u < RANK; i++) {
    let size = p.sizes[i / 4u][i % 4u];
    at += rest % size * p.strides[i];
    rest /= size;
  }
  at += rest * p.strides[RANK - 1u];`;

export interface PointwiseOptions {
  /** That of a row. */
  readonly name: string;
  readonly part: Part;
  /** The numbers s and t of the row. */
  readonly s?: number;
  readonly t?: number;
}

const common = ({ s = 0, t = 0 }: PointwiseOptions) => ({ s, t, nanBits: NAN_BITS });

/** A row over operands of one shape and storage order. Operands: the sources (a, b, y, g) and `result`, [count]. */
export function planFlat(options: PointwiseOptions, count: number, caps: Capabilities): Plan {
  const kernel = emit(options.name, options.part, 0);
  const sources = sourcesOf(options.name, options.part);
  const steps: Step[] = flatRanges(count, caps).map(({ begin, end }) => {
    const vectors = ceilDiv(end - begin, 4);
    const operands: Record<string, Step["operands"][string]> = { result: flatOperand("result", begin, end, count) };
    for (const id of sources) operands[`in_${id}`] = flatOperand(id, begin, end, count);
    return { kernel, params: { count: vectors, ...common(options) }, operands, grid: foldGrid(ceilDiv(vectors, WG)) };
  });
  return { steps };
}

/**
 * A row over operands with any strides (0 along a broadcast dimension), which must cover the box of `sizes`; the result
 * is dense in row-major order. Operands: the sources and `result`, bound in parts where they are larger than a binding.
 */
export function planStrided(
  options: PointwiseOptions,
  sizes: readonly number[],
  strides: Readonly<Partial<Record<Source, readonly number[]>>>,
  caps: Capabilities,
): Plan {
  if (product(sizes) === 0) return { steps: [] };
  const names = [...sourcesOf(options.name, options.part), RESULT];
  const dense = denseStrides(sizes);
  const merged = mergeDims(
    sizes,
    names.map((id) => strides[id as Source] ?? dense),
  );
  const rank = Math.max(1, merged.sizes.length);
  const kernel = emit(options.name, options.part, rank);
  const operands = Object.fromEntries(names.map((id, i) => [id, { strides: merged.strides[i]!, offset: 0 }]));
  const parts = boxParts({ sizes: merged.sizes, operands }, caps);
  const steps = parts.map((part): Step => {
    const count = product(part.sizes);
    const places = names.map((id) => boxOperand(id, part.sizes, part.operands, parts.length === 1));
    const innermostFirst = part.sizes.map((_, i) => part.sizes.length - 1 - i);
    const params = {
      count,
      ...common(options),
      offsets: places.map(({ offset }) => offset),
      sizes: innermostFirst.map((i) => part.sizes[i]!),
      strides: innermostFirst.flatMap((i) => [...LANES].map((_, lane) => places[lane]?.strides[i] ?? 0)),
    };
    const bound = Object.fromEntries(
      names.map((id, lane) => [id === RESULT ? RESULT : `in_${id}`, places[lane]!.operand]),
    );
    return { kernel, params, operands: bound, grid: foldGrid(ceilDiv(count, WG)) };
  });
  return { steps };
}
