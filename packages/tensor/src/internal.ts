/** What @fcn/core and the tests share with this package. Not part of the public API: it may change in any version. */
import { type Plan, planCopy, planUpsampledGradient } from "@fcn/kernels";
import { type Captured, type CaptureResult, capture } from "./core/capture.js";
import { planned } from "./core/planned.js";
import { contiguous, Tensor } from "./core/tensor.js";
import type { Device } from "./device.js";
import { type Upsampling, upsampledGeometry } from "./ops/upsampled.js";
import type { Order } from "./plain/layout.js";

export { recording } from "./core/autograd.js";
export { wrapAdapterRequests } from "./device/requests.js";
export { GUESSED_BYTES, type Guess, guessContent } from "./io/content/guess.js";
export { isTemporaryName } from "./io/files/leftovers.js";
export { type LockOwner, withFileLock } from "./io/files/lock.js";
export { makeFolder } from "./io/files/makeFolder.js";
export { makeTemporaryFolder, type TemporaryFolder } from "./io/files/temporaryFile.js";
export { userCaches } from "./io/files/userCaches.js";
export { decodeText, describeFault, recodeFix, shellWord, type TextFault } from "./io/text/text.js";
export { matchNames, type NameMatch } from "./nn/matchNames.js";
export { nameTarget } from "./nn/stateDict.js";
export { ONE_VALUE } from "./ops/batchNorm.js";
export { type Planes, planesOf } from "./pictures/fromImage.js";
export { pictureSize } from "./pictures/size.js";
export { isPicture } from "./pictures/source.js";
export { bilinearRow } from "./plain/bilinear.js";
export {
  brief,
  defect,
  firstOf,
  invalidArgument,
  invalidShape,
  reworded,
  show,
  showSome,
  showValue,
} from "./plain/errors.js";
export { editDistance, nearest } from "./plain/nearest.js";
export { isNode, nodeModule } from "./plain/node.js";
export { checkOptions, checkValue, checkValues } from "./plain/options.js";
export type { Rule, RulesOf } from "./plain/rules.js";
export * as rules from "./plain/rules.js";
export { elementsOf } from "./plain/shape.js";

export const emptyTensor = (device: Device, shape: readonly number[]): Tensor => Tensor.empty(device.runtime, shape);

/**
 * As `device.capture`, for work of the library itself: a function that cannot be replayed runs each time, and
 * arguments are disposed. Results that are lent are to be disposed before the next call, which otherwise runs the
 * function.
 */
export const repeated = <Args extends readonly Tensor[], Result extends CaptureResult>(
  device: Device,
  fn: (...inputs: Args) => Result,
  { lends }: { readonly lends: boolean },
): Captured<Args, Result> => capture(device.runtime, fn, { isLenient: true, takes: true, lends });

/** Whether captured work is replayed on a device. It is unless turned off, to compare. */
export function setRepeating(device: Device, repeats: boolean): void {
  device.runtime.engine.repeats = repeats;
}

/** Runs `fn`, and frees the tensors that it makes but does not return: a scope that does not wait. */
export function collect({ runtime }: Device, fn: () => Tensor): Tensor {
  const [result] = runtime.collect(() => [fn()] as const);
  runtime.scopes.add(result);
  return result;
}

/** How often a tensor's memory was changed in place. */
export const versionOf = ({ storage }: Tensor): number => storage.version;

/** Whether the device can bind all that the ops on upsampled scores of this shape need. */
export function canUpsample(device: Device, shape: readonly number[], rule: Upsampling): boolean {
  const loss = { ignoreIndex: 0, weighted: false, reduction: "sum" } as const;
  return planUpsampledGradient(upsampledGeometry(shape, rule), loss, device.runtime.capabilities) !== undefined;
}

/** Copies rows [..., height, width] into the plane `target` [H, width] from row `top` on. */
export function placeRows(target: Tensor, rows: Tensor, top: number): void {
  using dense = contiguous(rows);
  const box = { sizes: [rows.size], from: [1], to: [1], toOffset: top * (target.shape[1] ?? 1) };
  target.runtime.run("placeRows", planned(planCopy, box), { src: dense, dst: target });
}

/** Zeros in the same memory format as `like`. */
export const zerosStoredAs = (like: Tensor, shape: readonly number[]): Tensor =>
  like.device.zeros(shape, { order: like.order });

/** A tensor stored in this order of its dimensions, from the outermost to the innermost. */
export function tensorStoredIn(
  order: Order,
  device: Device,
  data: ArrayLike<number>,
  shape: readonly number[],
  requiresGrad = false,
): Tensor {
  return device.tensor(data, shape, { order, requiresGrad });
}

/** What runs a plan on tensors by operand name, as often as it is called. */
export function planRunner(device: Device, op: string, plan: Plan | undefined) {
  const call = planned(() => plan);
  return (operands: Readonly<Record<string, Tensor>>): void => device.runtime.run(op, call, operands);
}

/** Runs a plan on tensors by operand name. */
export const runPlan = (
  device: Device,
  op: string,
  plan: Plan | undefined,
  operands: Readonly<Record<string, Tensor>>,
): void => planRunner(device, op, plan)(operands);
