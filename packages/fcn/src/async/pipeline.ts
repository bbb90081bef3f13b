interface Started<R> {
  readonly done: Promise<R>;
}

/**
 * Calls `work` on the items, up to `ahead` of them at a time, and yields the results in the order of the items. Nothing
 * starts before it is asked for, and no more than `ahead` results wait: a slow consumer slows the work down, and memory
 * stays flat.
 */
export const mapAhead = <T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> => startAhead(items, ahead, (item) => ({ done: work(item) }));

/**
 * Starts the items one after the other and yields their results in order; `ahead` of them may be started and not done.
 * Unlike {@link mapAhead} an item is started only while the consumer waits: what starting does never runs beside the
 * consumer's own code.
 */
export async function* startAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  ahead: number,
  start: (item: T) => Started<R> | Promise<Started<R>>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const { done } = await start(item);
      // It is awaited later; meanwhile a rejection must not count as unhandled.
      done.catch(() => undefined);
      running.push(done);
      if (running.length >= ahead) yield await (running.shift() as Promise<R>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(running);
  }
}
