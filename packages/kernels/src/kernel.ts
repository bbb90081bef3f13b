/**
 * A WGSL file as data: its named constants, its uniform fields and its storage bindings, read from the text itself, so
 * that a plan which names a constant, a parameter or an operand that the kernel lacks is refused before it runs.
 */
export interface Kernel {
  readonly name: string;
  readonly source: string;
}

/** Bytes of the parameters of one dispatch at most, and of the slot that they are written to. */
export const PARAMS_BYTES = 256;

export type Access = "read" | "read_write";
export type ScalarType = "u32" | "i32" | "f32";

export interface KernelInfo {
  readonly name: string;
  readonly source: string;
  /** `const NAME: type = value;` lines before the first function, which a plan may replace. */
  readonly constants: ReadonlyMap<string, { readonly type: string; readonly text: string }>;
  /** Fields of `struct Params`, four bytes each, in order. */
  readonly params: readonly { readonly name: string; readonly type: ScalarType }[];
  /** Storage bindings 1, 2, … of group 0 in order (binding 0 holds the parameters). */
  readonly bindings: readonly { readonly name: string; readonly access: Access }[];
  readonly subgroups: boolean;
}

const CONSTANT = /^const ([A-Z][A-Z0-9_]*): (u32|i32|f32|bool) = ([^;]+);/gm;
const BINDING = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>\s*(\w+)\s*:/g;
const FIELD = /(\w+)\s*:\s*(u32|i32|f32)\b/g;

/** Reads the interface of a kernel from its text. Throws when bindings are not numbered 1, 2, … in order, or `Params` are too large. */
export function parseKernel({ name, source }: Kernel): KernelInfo {
  const constants = new Map<string, { type: string; text: string }>();
  for (const [, id, type, text] of source.matchAll(CONSTANT)) constants.set(id!, { type: type!, text: text! });
  const struct = /struct Params\s*\{([^}]*)\}/.exec(source)?.[1] ?? "";
  const params = [...struct.matchAll(FIELD)].map(([, field, type]) => ({
    name: field!,
    type: type as ScalarType,
  }));
  if (params.length * 4 > PARAMS_BYTES) {
    throw new Error(`kernel ${name}: Params takes ${params.length * 4} bytes, at most ${PARAMS_BYTES}`);
  }
  const bindings = [...source.matchAll(BINDING)].map(([, index, access, id], i) => {
    if (Number(index) !== i + 1)
      throw new Error(`kernel ${name}: binding ${id} has number ${index}, expected ${i + 1}`);
    return { name: id!, access: access as Access };
  });
  return { name, source, constants, params, bindings, subgroups: /^enable subgroups;/m.test(source) };
}

export type ConstantValue = number | boolean;

function literal(type: string, value: ConstantValue): string {
  if (type === "bool") return value ? "true" : "false";
  if (type === "u32") return `${value}u`;
  if (type === "f32") return Number.isInteger(value) ? `${value}.0` : `${value}`;
  return `${value}`;
}

/** The source with the named constants replaced. An unknown name throws. */
export function specialize(info: KernelInfo, values: Readonly<Record<string, ConstantValue>>): string {
  for (const id of Object.keys(values)) {
    if (!info.constants.has(id)) throw new Error(`kernel ${info.name} has no constant ${id}`);
  }
  return info.source.replace(CONSTANT, (line, id: string, type: string) => {
    const value = values[id];
    return value === undefined ? line : `const ${id}: ${type} = ${literal(type, value)};`;
  });
}

/** Writes the parameters into `view` at `offset` in the order of `struct Params`. A missing or unknown name throws. */
export function packParams(
  info: KernelInfo,
  values: Readonly<Record<string, number>>,
  view: DataView,
  offset: number,
): void {
  let at = offset;
  for (const { name, type } of info.params) {
    const value = values[name];
    if (value === undefined) throw new Error(`kernel ${info.name}: parameter ${name} is missing`);
    if (type === "f32") view.setFloat32(at, value, true);
    else if (type === "i32") view.setInt32(at, value, true);
    else view.setUint32(at, value, true);
    at += 4;
  }
  for (const id of Object.keys(values)) {
    if (!info.params.some((field) => field.name === id)) {
      throw new Error(`kernel ${info.name} has no parameter ${id}`);
    }
  }
}
