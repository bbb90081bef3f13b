import { expect } from "vitest";

const isOfNumbers = (values: unknown): values is ArrayLike<number> =>
  (Array.isArray(values) && typeof values[0] === "number") ||
  (ArrayBuffer.isView(values) && !(values instanceof DataView));

/** Compares long lists of equal numbers, which is fast; all others are left to vitest, which says where they differ. */
function compareNumbersFast(): void {
  expect.addEqualityTesters([
    (a: unknown, b: unknown) => {
      if (!isOfNumbers(a) || !isOfNumbers(b) || a.constructor !== b.constructor || a.length !== b.length)
        return undefined;
      for (let i = 0; i < a.length; i++) {
        if (typeof a[i] !== "number" || !Object.is(a[i], b[i])) return undefined;
      }
      return true;
    },
  ]);
}

/** How often Dawn may ask the GPU without a pause. */
const AT_ONCE = 40;

/**
 * Dawn waits for the GPU by asking again and again through `setImmediate`, which takes a core that the software adapter
 * could compute on. From here on it pauses for a millisecond between questions if the answer takes long. Functions of
 * JavaScript are called as before.
 */
function pauseBetweenQuestions(): void {
  const { setImmediate: original } = globalThis;
  let [questions, isAsking] = [0, false];
  const patched = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown => {
    if (!String(callback).includes("[native code]")) return original(callback, ...args);
    isAsking = true;
    const ask = (): void => {
      isAsking = false;
      callback(...args);
      if (!isAsking) questions = 0;
    };
    return questions++ < AT_ONCE ? original(ask) : setTimeout(ask, 1);
  };
  globalThis.setImmediate = Object.assign(patched, original) as typeof setImmediate;
}

// The worker is the same for many files, and keeps both.
const isSetUp = Symbol.for("fcn.tests-set-up");
if (!(isSetUp in globalThis)) {
  Object.assign(globalThis, { [isSetUp]: true });
  compareNumbersFast();
  pauseBetweenQuestions();
}
