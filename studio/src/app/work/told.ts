type Calls = Readonly<Record<string, (...given: never[]) => Promise<unknown>>>;

/**
 * Work of a worker, as it crosses to the page: what it throws becomes a plain object with message and fix, since an
 * Error would cross without its remedy.
 */
export function told(work: object): Calls {
  return Object.fromEntries(
    Object.entries(work as Calls).map(([name, call]) => [
      name,
      async (...given: never[]) => {
        try {
          return await call(...given);
        } catch (thrown) {
          const { message, fix } = thrown as { message: string; fix?: string };
          throw { message, fix };
        }
      },
    ]),
  );
}
