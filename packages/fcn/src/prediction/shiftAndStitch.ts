import { concat, type nn, pad, slice, type Tensor } from "@fcn/tensor";
import { checkOptions, checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { coordinateMaps } from "../models/graph/geometry/coordinates.js";
import { GraphNet } from "../models/graph/net.js";
import { identityMap } from "../models/graph/plane/coordinateMap.js";
import { AXES } from "../models/graph/plane/window.js";
import { type Graph, mainHead } from "../models/graph/spec.js";
import { mainLogits } from "../models/segmentationNet.js";

/** Options of {@link shiftAndStitch}. */
export interface ShiftAndStitchOptions {
  /** The stride f of the net's output. */
  readonly factor: number;
}

/**
 * Dense prediction without interpolation (section 3.2 of the FCN paper). The net runs on f * f copies of the image,
 * each shifted down and right by 0 to f - 1 pixels with zeros after it, and the outputs are interlaced. x is [N, C, H,
 * W]; the result has a value for every place of the output grid of `dilate`, with its cell m at the place of cell m / f
 * of the net's own output.
 *
 * The net runs as it is: call `net.eval()` first, and wrap the call in `noGrad` unless you need gradients. The net must
 * not upsample; cut a published one with `models.subgraph(graph, "score_fr")`. Throws `invalid-argument` unless
 * `factor` is the stride of the net's output and x has four dimensions.
 */
export function shiftAndStitch(net: nn.Module, x: Tensor, options: ShiftAndStitchOptions): Tensor {
  checkOptions<ShiftAndStitchOptions>("shiftAndStitch", options, { factor: rules.required(rules.whole(1)) });
  checkValue("shiftAndStitch", "x.shape", x.shape, IMAGES);
  const { factor } = options;
  if (net instanceof GraphNet) checkGrid(net.graph as Graph, factor);
  const cells = Array.from({ length: factor }, (_, shift) => shift);
  const pass = (down: number, right: number): Tensor => mainLogits(net.forward(shifted(x, down, right)));
  return interlace(
    cells.map((down) =>
      interlace(
        cells.map((right) => pass(down, right)),
        3,
      ),
    ),
    2,
  );
}

/** Throws `invalid-argument` unless a graph gives one value per `factor` x `factor` pixels. */
function checkGrid(graph: Graph, factor: number): void {
  const steps = AXES.map((axis) => {
    // Padding that depends on the size of the image moves the cells but keeps the steps between them.
    const { scale } = coordinateMaps(graph, axis, STANDARD).get(mainHead(graph)) ?? identityMap;
    return scale.den / scale.num;
  });
  if (steps.every((step) => step === factor)) return;
  const [down, right] = steps;
  const grid = steps.every((step) => step === 1) ? "every pixel" : `${down} x ${right} pixels`;
  throw invalidArgument(
    `shiftAndStitch: the factor is ${factor}, but the net ${graph.name} gives a value for ${grid}`,
    {
      code: "pass the stride of the net's output; cut a net that upsamples after its scores, with models.subgraph(graph, name)",
    },
  );
}

const STANDARD = 512;

const IMAGES = rules.listOf("[N, C, H, W]", rules.whole(0), 4);

const NONE = [0, 0] as const;

const shifted = (x: Tensor, down: number, right: number): Tensor =>
  down === 0 && right === 0 ? x : pad(x, [NONE, NONE, [down, 0], [right, 0]]);

/**
 * Joins the outputs of the shifts 0 to f - 1 along dimension 2 or 3 of [N, C, H, W]. Cell i of shift t is cell f i - t
 * of the result. Cells before the image are left out, and the result ends before the first cell that no shift has.
 */
function interlace(outputs: readonly Tensor[], dim: 2 | 3): Tensor {
  const f = outputs.length;
  const sizes = outputs.map((output) => output.shape[dim] as number);
  const length = Math.min(...sizes.map((size, shift) => f * size - shift));
  const groups = Math.ceil(length / f);
  // Shift 0 comes first. Then cell r of each group of f comes from shift f - r, whose cell 0 lies before the image.
  const byPlace = Array.from({ length: f }, (_, r) => {
    const [output, begin] = r === 0 ? [outputs[0] as Tensor, 0] : [outputs[f - r] as Tensor, 1];
    return range(output, dim, begin, begin + groups);
  });
  const [n = 1, c = 1, h = 1, w = 1] = (byPlace[0] as Tensor).shape;
  // Each place gets its own dimension after the interlaced one.
  const alone = dim === 3 ? [n * c * h, w, 1] : [n * c, h, 1, w];
  const parts = byPlace.map((part) => part.reshape(alone));
  const whole = concat(parts, { dim: 2 }).reshape(dim === 3 ? [n, c, h, w * f] : [n, c, h * f, w]);
  return range(whole, dim, 0, length);
}

/** Cells `begin` to `end` - 1 along `dim`, with zeros beyond the end of the tensor. */
function range(x: Tensor, dim: 2 | 3, begin: number, end: number): Tensor {
  const size = x.shape[dim] as number;
  const last = Math.min(end, size);
  const along = <Value>(value: Value, other: Value): Value[] => x.shape.map((_, d) => (d === dim ? value : other));
  const part =
    begin === 0 && last === size ? x : slice(x, along<readonly [number, number] | null>([begin, last], null));
  return last === end ? part : pad(part, along<readonly [number, number]>([0, end - last], NONE));
}
