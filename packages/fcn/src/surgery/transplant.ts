import { nn, type Tensor } from "@fcn/tensor";
import { elementsOf, show } from "@fcn/tensor/internal";

type Entry = nn.StateDict[string];

export interface TransplantOptions {
  /** Appended to layer names: with the suffix `color`, conv1_1.weight goes to conv1_1color.weight. Default: none. */
  readonly suffix?: string;
}

/** What happened to each array. */
export interface TransplantReport {
  /** Names in the new net whose values were copied with their shape. */
  readonly copied: readonly string[];
  /**
   * Names in the new net whose values were copied in order into another shape, such as a fully connected layer into a
   * convolution.
   */
  readonly reshaped: readonly string[];
  /** Names in the old net that were left out, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Copies the weights of one net into another by layer name. Arrays with as many elements but another shape are copied
 * in row-major order; those that the new net lacks or has in another size are left out. `from` may also be weights by
 * name, as returned by the readers of `io`. Source: `transplant` of the reference implementation.
 */
export function transplant(
  from: nn.Module | nn.StateDict,
  to: nn.Module,
  { suffix = "" }: TransplantOptions = {},
): TransplantReport {
  const source = from instanceof nn.Module ? from.stateDict() : from;
  const target = to.stateDict();
  const copied: string[] = [];
  const reshaped: string[] = [];
  const skipped: { name: string; reason: string }[] = [];
  const chosen: Record<string, Entry> = {};
  const made: Tensor[] = [];
  for (const [name, entry] of Object.entries(source)) {
    const key = withSuffix(name, suffix);
    const { shape } = Object.hasOwn(target, key) ? (target[key] as Tensor) : { shape: undefined };
    if (shape === undefined) {
      skipped.push({ name, reason: `the new net has no ${key}` });
    } else if (elementsOf(shape) !== elementsOf(entry.shape)) {
      skipped.push({ name, reason: `${show(entry.shape)} does not fit into ${key} ${show(shape)}` });
    } else {
      const same = show(shape) === show(entry.shape);
      chosen[key] = same ? entry : reshapedTo(entry, shape, made);
      (same ? copied : reshaped).push(key);
    }
  }
  to.loadStateDict(chosen, { strict: false });
  for (const tensor of made) tensor.dispose();
  return { copied, reshaped, skipped };
}

const isTensor = (entry: Entry): entry is Tensor => typeof entry.data === "function";

function reshapedTo(entry: Entry, shape: readonly number[], made: Tensor[]): Entry {
  if (!isTensor(entry)) return { ...entry, shape };
  const detached = entry.detach();
  const view = detached.reshape(shape);
  made.push(detached, view);
  return view;
}

/** The suffix goes between the name of the layer and that of the parameter. */
function withSuffix(name: string, suffix: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? name + suffix : `${name.slice(0, dot)}${suffix}${name.slice(dot)}`;
}
