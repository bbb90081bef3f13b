import type { KernelInfo } from "./kernel.js";
import { type Capabilities, ceilDiv } from "./plan.js";
import { type KernelTile, sameTile, type Variant } from "./tuning.js";

/** What an adapter says of itself. */
export interface AdapterTraits {
  readonly software: boolean;
  readonly vendor: string;
}

/** The lanes of an adapter's subgroups, 0 if it has none, and whether a kernel may ask for a number of them. */
export interface SubgroupTraits {
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly canAsk: boolean;
}

/** Lanes that kernels can count on, and those that they have to ask for; 0 for none. */
export interface Lanes {
  /** Of kernels whose lanes share what they load. */
  readonly shared: number;
  readonly askedByShared: number;
  /** Of kernels that want few lanes, where the class of the adapter has them ask. */
  readonly askedByFewest: number;
}

/** A class of adapters, and what suits it; the comments say what that rests on. */
export interface AdapterClass {
  readonly fits: (traits: AdapterTraits) => boolean;
  /** The variants that are worth trying, best first. */
  readonly variants: readonly Variant[];
  /** Whether kernels whose lanes need many registers ask for the smallest subgroups. */
  readonly fewestLanes: boolean;
  /** Whether loops that need not be unrolled are not. */
  readonly keepsLoops: boolean;
  /**
   * The most pixels or rows that a team of a subgroup may own. GPUs put what is more into memory, or have registers for
   * a single wave (`npm run bench -- tiles`).
   */
  readonly tallest: number;
}

/** The first class that fits decides. The figures are those of `npm run bench` and `npm run bench -- static`. */
const CLASSES: readonly AdapterClass[] = [
  // SwiftShader, which Chromium has for machines without a GPU, does what lanes share lane by lane, and has four of
  // them: without subgroups FCN-8s trains and predicts in half the time (`npm run bench -- chromium`).
  {
    fits: ({ software, vendor }) => software && vendor === "google",
    variants: ["winograd", "register"],
    fewestLanes: false,
    keepsLoops: true,
    tallest: 32,
  },
  // llvmpipe keeps workgroup memory in ordinary memory, and a barrier switches coroutines: a 3x3 convolution of 64
  // channels takes three times as long as with subgroups. Arithmetic is dear beside memory, so that minimal filtering
  // takes half to three quarters of their time. Its compiler turns each load into dozens of branches.
  {
    fits: ({ software }) => software,
    variants: ["winograd", "subgroup", "register"],
    fewestLanes: false,
    keepsLoops: true,
    tallest: 32,
  },
  // With subgroups of 8 lanes (16 on Xe2) a tile of 8 pixels by 4 channels has registers enough; with those that the
  // driver picks it spills. Through subgroups, teams of 8 pixels hold 41 to 61 % multiply-adds, those of 16 spill.
  {
    fits: ({ vendor }) => vendor === "intel",
    variants: ["workgroup", "register", "subgroup", "winograd"],
    fewestLanes: true,
    keepsLoops: false,
    tallest: 8,
  },
  // Of the vector slots of a 3x3 convolution's hot loop 88 to 93 % are multiply-adds on GCN and RDNA, beside 32 to 65 %
  // of the register variant and 75 to 78 % of subgroups, and memory is read 32 multiply-adds a word, not 2.7.
  {
    fits: () => true,
    variants: ["workgroup", "subgroup", "register", "winograd"],
    fewestLanes: false,
    keepsLoops: false,
    tallest: 16,
  },
];

/**
 * The lanes of subgroups. Where their number varies and can be asked for, it is the smallest: on RDNA subgroups of 32
 * reach 68 to 88 % multiply-adds, those of 64 reach 39 to 60 % (`npm run bench -- tiles --gpu navi21`), and on Intel
 * the lanes of smaller ones have more registers.
 */
export function lanesOf({ subgroupMinSize: least, subgroupMaxSize: most, canAsk }: SubgroupTraits, own: AdapterClass) {
  const asked = canAsk && least < most ? least : 0;
  const shared = least === most ? most : asked;
  const lanes: Lanes = { shared, askedByShared: asked, askedByFewest: canAsk && own.fewestLanes ? least : 0 };
  return lanes;
}

/** The lanes of a subgroup that a kernel asks for; 0 where it takes what it gets. */
export const askedLanes = (
  { subgroups, fewestLanes }: Pick<KernelInfo, "subgroups" | "fewestLanes">,
  { askedByShared, askedByFewest }: Lanes,
): number => (subgroups ? askedByShared : fewestLanes ? askedByFewest : 0);

/** The class of an adapter. */
export const classOf = (traits: AdapterTraits): AdapterClass =>
  CLASSES.find(({ fits }) => fits(traits)) as AdapterClass;

/** The variants that a plan may take, best first: `subgroup` needs subgroups of a known size. */
const variantsOf = ({ variants = ["subgroup", "register"], subgroupSize }: Capabilities): readonly Variant[] =>
  variants.filter((variant) => variant !== "subgroup" || subgroupSize > 0);

/** Workgroups through workgroup memory that keep a device busy: of 64 or 128 threads, with many registers each. */
export const busyWorkgroups = (caps: Capabilities): number => ceilDiv(caps.parallelism, 4);

/**
 * The tiles of the variants that a plan may take, without repetitions: the first is the one that the rules choose. A
 * variant that cannot do the work has none; `register` can do all.
 */
export function candidatesOf(caps: Capabilities, tiles: Readonly<Record<Variant, () => readonly KernelTile[]>>) {
  const all = [...new Set([...variantsOf(caps), "register" as const])].flatMap((variant) => tiles[variant]());
  return all.filter((tile, i) => all.findIndex((other) => sameTile(other, tile)) === i);
}
