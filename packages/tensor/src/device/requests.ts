type Call<T> = () => T;

let around = <T>(call: Call<T>): T => call();

/**
 * Has `wrap` run each request for an adapter of Dawn's, which looks for adapters, and prints what it and drivers say of
 * them, before the call returns its promise.
 */
export function wrapAdapterRequests(wrap: <T>(call: Call<T>) => T): void {
  around = wrap;
}

export const wrapped = <T>(request: Call<T>): T => around(request);
