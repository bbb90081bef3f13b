/**
 * Sends values one at a time: while one is on its way, only the newest of those that come waits.
 *
 * @param send sends a value; what it throws goes to `failed`, and the next value is sent all the same
 * @returns takes a value; its promise resolves once nothing waits any more
 */
export function newestOnly<Value>(
  send: (value: Value) => Promise<unknown>,
  failed: (thrown: unknown) => void,
): (value: Value) => Promise<void> {
  let waiting: { readonly value: Value } | undefined;
  let running: Promise<void> | undefined;
  async function run(): Promise<void> {
    while (waiting !== undefined) {
      const { value } = waiting;
      waiting = undefined;
      try {
        await send(value);
      } catch (thrown) {
        failed(thrown);
      }
    }
    running = undefined;
  }
  return (value) => {
    waiting = { value };
    running ??= run();
    return running;
  };
}
