import { effect, signal } from "@preact/signals";
import type { Saved, Store } from "../store/store.js";
import { newestOnly } from "./newestOnly.js";
import { noteError } from "./notes.js";
import { session, settings, shownId, training } from "./state.js";

const opened = signal<Store | undefined>(undefined);
let open: (store: Store) => void = () => undefined;

/** The store as soon as it is open: a person may be faster. */
export const storeOnceOpen = new Promise<Store>((resolve) => {
  open = resolve;
});

export function setStore(to: Store): void {
  opened.value = to;
  open(to);
}

/** The store, once it is open. Throws before. */
export function store(): Store {
  if (opened.value !== undefined) return opened.value;
  throw new Error("what is kept between visits is not open yet; try again in a moment");
}

/** From here on nothing is written any more. */
export let stopKeeping = (): void => undefined;

/** From here on every change goes to the store. */
export function startKeeping(): void {
  const to = store();
  const write = newestOnly((saved: Saved) => to.write(saved), noteError);
  stopKeeping = effect(() => {
    void write({
      session: session.value,
      settings: settings.value,
      shown: shownId.value,
      training: training.value,
    });
  });
}
