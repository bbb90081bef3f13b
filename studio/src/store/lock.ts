import { StudioError } from "../session/errors.js";

/** This tab's right to change what is kept. */
export interface Hold {
  /** Resolves when another tab takes the session over; nothing may be written from then on. */
  readonly stolen: Promise<void>;
  /** Lets another tab have it. It ends with the page too. */
  release(): void;
}

const NAME = "fcn-studio";

/**
 * Takes the session for this tab, because two that write would lose each other's strokes.
 *
 * @param options `steal` takes it from the tab that has it, which is told
 * @returns undefined if another tab has it
 * @throws StudioError `unsupported-browser` where there are no locks, as on pages of plain http
 */
export async function holdSession({ steal = false } = {}): Promise<Hold | undefined> {
  if (navigator.locks === undefined) {
    throw new StudioError(
      "unsupported-browser",
      "This browser cannot keep two tabs from overwriting each other, or the page did not come by https or from localhost.",
      "Open the page by https or from localhost in a current Chrome, Edge, Firefox or Safari.",
    );
  }
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return new Promise((resolve, reject) => {
    let tellStolen = (): void => {};
    const stolen = new Promise<void>((told) => {
      tellStolen = told;
    });
    const held = navigator.locks.request(NAME, steal ? { steal: true } : { ifAvailable: true }, (lock) => {
      if (lock === null) {
        resolve(undefined);
        return undefined;
      }
      resolve({ stolen, release });
      return released;
    });
    held.catch((error: unknown) => {
      // What was granted before is not changed by a late rejection.
      if (error instanceof DOMException && error.name === "AbortError") tellStolen();
      reject(error);
    });
  });
}
