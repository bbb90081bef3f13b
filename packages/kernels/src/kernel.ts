import { defect } from "./errors.js";

/**
 * A WGSL file as data. Its constants, uniform fields and storage bindings are read from the text, so that a plan that
 * names a constant, a parameter or an operand which the kernel lacks is refused before it runs.
 */
export interface Kernel {
  readonly name: string;
  readonly source: string;
}

/** The most bytes that the parameters of one dispatch may take; also the size of the slot they are written to. */
export const PARAMS_BYTES = 256;

export type Access = "read" | "read_write";
export type ScalarType = "u32" | "i32" | "f32";

/** A field of `struct Params`: a scalar, or with `vectors` an array of that many vec4 of scalars. */
export interface ParamField {
  readonly name: string;
  readonly type: ScalarType;
  readonly vectors?: number;
}

/** A scalar, or the scalars of a vec4 or of an array of vec4 in order; those left out at the end are 0. */
export type ParamValue = number | readonly number[];
export type Params = Readonly<Record<string, ParamValue>>;

export interface KernelInfo {
  readonly name: string;
  readonly source: string;
  /** The lines `const NAME: type = value;`, which a plan may replace. */
  readonly constants: ReadonlyMap<string, { readonly type: string; readonly text: string }>;
  /** Fields of `struct Params` in order. */
  readonly params: readonly ParamField[];
  /** Size of `struct Params`. */
  readonly paramsBytes: number;
  /** Storage bindings 1, 2, … of group 0 in order (binding 0 holds the parameters), with the type of their elements. */
  readonly bindings: readonly { readonly name: string; readonly access: Access; readonly element: string }[];
  readonly subgroups: boolean;
  /** Whether `const FEWEST_LANES` says that each lane needs many registers, so that a subgroup had better be small. */
  readonly fewestLanes: boolean;
}

const CONSTANT = /^const ([A-Z][A-Z0-9_]*)\s*:\s*(u32|i32|f32|bool)\s*=\s*([^;]+);/gm;
const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>\s*(\w+)\s*:\s*(?:array<\s*)?(\w+)/g;
const ALIAS = /^alias (\w+)\s*=\s*(\w+);/gm;
/** What takes the place of a type of elements where they are halves; words are copied as they are. */
const HALVES: Readonly<Record<string, string>> = { f32: "f16", vec4f: "vec4h", u32: "f16" };
const FIELD = /(\w+)\s*:\s*(\w+(?:<[^>]*>)?)/g;
const SCALAR = /^[uif]32$/;
const VECTORS = /^(?:array<)?vec4([uif])(?:,\s*(\d+)>)?$/;
const SCALAR_BYTES = 4;
const VECTOR_BYTES = 16;

function fieldOf(kernel: string, name: string, text: string): ParamField {
  if (SCALAR.test(text)) return { name, type: text as ScalarType };
  const [, element, length = "1"] = VECTORS.exec(text) ?? [];
  if (!element) throw defect(`kernel ${kernel}: parameter ${name} has type ${text}, expected scalars or vec4 of them`);
  return { name, type: `${element}32` as ScalarType, vectors: Number(length) };
}

/**
 * The next byte at which a vector may begin: WGSL aligns vectors, their arrays and structs that hold them to 16 bytes.
 */
const alignVector = (bytes: number): number => Math.ceil(bytes / VECTOR_BYTES) * VECTOR_BYTES;
const beginOf = ({ vectors }: ParamField, end: number): number => (vectors ? alignVector(end) : end);
const bytesOf = ({ vectors }: ParamField): number => (vectors ? vectors * VECTOR_BYTES : SCALAR_BYTES);

/**
 * Reads the interface of a kernel from its text. Throws when bindings are not numbered 1, 2, … in order, or when
 * `Params` is too large or has a field that is not a scalar, a vec4 or an array of vec4.
 */
export function parseKernel({ name, source }: Kernel): KernelInfo {
  const constants = new Map<string, { type: string; text: string }>();
  for (const [, id, type, text] of source.matchAll(CONSTANT)) constants.set(id!, { type: type!, text: text! });
  const struct = /struct Params\s*\{([^}]*)\}/.exec(source)?.[1]?.replace(/\/\/.*/g, "") ?? "";
  const params = [...struct.matchAll(FIELD)].map(([, field, type]) => fieldOf(name, field!, type!));
  const end = params.reduce((bytes, field) => beginOf(field, bytes) + bytesOf(field), 0);
  const paramsBytes = params.some(({ vectors }) => vectors) ? alignVector(end) : end;
  if (paramsBytes > PARAMS_BYTES) {
    throw defect(`kernel ${name}: Params takes ${paramsBytes} bytes, at most ${PARAMS_BYTES}`);
  }
  const bindings = [...source.matchAll(BINDING)].map(([, index, access, id, element], i) => {
    if (Number(index) !== i + 1) throw defect(`kernel ${name}: binding ${id} has number ${index}, expected ${i + 1}`);
    return { name: id!, access: access as Access, element: element! };
  });
  const subgroups = /^enable subgroups;/m.test(source);
  const fewestLanes = constants.get("FEWEST_LANES")?.text === "true";
  return { name, source, constants, params, paramsBytes, bindings, subgroups, fewestLanes };
}

export type ConstantValue = number | boolean;

function literal(type: string, value: ConstantValue): string {
  if (type === "bool") return value ? "true" : "false";
  if (type === "u32") return `${value}u`;
  if (type === "f32") return Number.isInteger(value) ? `${value}.0` : `${value}`;
  return `${value}`;
}

/**
 * The source with the elements of the bindings `half` as halves. A kernel that can hold them so names their type by an
 * alias, converts what it loads, and stores by the name of the type. Throws for a kernel that does not.
 */
function withHalves({ name, source, bindings }: KernelInfo, half: readonly string[]): string {
  if (half.length === 0) return source;
  const types = new Set(bindings.filter((binding) => half.includes(binding.name)).map(({ element }) => element));
  const code = source.replace(ALIAS, (line, id: string, type: string) => {
    const stored = HALVES[type];
    return stored && types.delete(id) ? `alias ${id} = ${stored};` : line;
  });
  if (types.size > 0) throw defect(`kernel ${name}: elements of type ${[...types]} cannot be halves`);
  return `enable f16;\n${code}`;
}

/**
 * The source with the named constants replaced, and halves in the bindings `half`. With `lanes`, its subgroups have so
 * many; the device needs the feature `subgroup-size-control`. Throws when the kernel lacks one of the constants.
 */
export function specialize(
  info: KernelInfo,
  values: Readonly<Record<string, ConstantValue>>,
  lanes = 0,
  half: readonly string[] = [],
): string {
  for (const id of Object.keys(values)) {
    if (!info.constants.has(id)) throw defect(`kernel ${info.name} has no constant ${id}`);
  }
  const code = withHalves(info, half).replace(CONSTANT, (line, id: string, type: string) => {
    const value = values[id];
    return value === undefined ? line : `const ${id}: ${type} = ${literal(type, value)};`;
  });
  if (lanes === 0) return code;
  return `enable subgroup_size_control;\n${code.replace("@compute", `@compute @subgroup_size(${lanes})`)}`;
}

const WRITE = { u32: "setUint32", i32: "setInt32", f32: "setFloat32" } as const;

/**
 * Writes the parameters into `view` at `offset` in the layout of `struct Params`. Throws when a name is missing or
 * unknown, or when a value does not fit its field: a number for a scalar, a list no longer than the field for vectors.
 */
export function packParams(info: KernelInfo, values: Params, view: DataView, offset: number): void {
  let end = 0;
  for (const field of info.params) {
    const { name, type, vectors } = field;
    const value = values[name];
    if (value === undefined) throw defect(`kernel ${info.name}: parameter ${name} is missing`);
    if ((typeof value === "number") === (vectors !== undefined)) {
      throw defect(
        `kernel ${info.name}: parameter ${name} is ${vectors ? "a number, not a list" : "a list, not a number"}`,
      );
    }
    const words = typeof value === "number" ? [value] : value;
    const room = bytesOf(field) / SCALAR_BYTES;
    if (words.length > room) {
      throw defect(`kernel ${info.name}: parameter ${name} has ${words.length} entries, at most ${room}`);
    }
    end = beginOf(field, end);
    for (let i = 0; i < room; i++) {
      view[WRITE[type]](offset + end + i * SCALAR_BYTES, words[i] ?? 0, true);
    }
    end += bytesOf(field);
  }
  for (const id of Object.keys(values)) {
    if (!info.params.some((field) => field.name === id)) {
      throw defect(`kernel ${info.name} has no parameter ${id}`);
    }
  }
}
