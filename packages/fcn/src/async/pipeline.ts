interface Started<R> {
  readonly done: Promise<R>;
}

/**
 * Calls `work` on up to `ahead` items at a time and yields the results in order. Items are started on demand, and at
 * most `ahead` results wait, so a slow consumer slows the work down and memory use stays constant.
 */
export const mapAhead = <T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> => startAhead(items, ahead, (item) => ({ done: work(item) }));

/**
 * Starts the items one after another and yields their results in order, with up to `ahead` of them in progress. Unlike
 * in {@link mapAhead}, items are started only while the consumer waits, so starting never interleaves with its own
 * code.
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
      // It is awaited later; until then a rejection must not count as unhandled.
      done.catch(() => undefined);
      running.push(done);
      if (running.length >= ahead) yield await (running.shift() as Promise<R>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(running);
  }
}
