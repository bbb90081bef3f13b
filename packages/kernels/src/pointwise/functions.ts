/**
 * WGSL functions that a row may call, over the type T of its operands. WGSL's own promise too little near 0 or far
 * from it (sin, cos and tanh), or are missing.
 */
export interface WgslFunction {
  readonly name: string;
  /** Functions that this one calls. */
  readonly calls?: readonly WgslFunction[];
  /** Over vectors, where `flat`, or scalars. */
  readonly text: (flat: boolean) => string;
}

/** e^a - 1: near 0 a series of nine terms. */
export const exponentialLess1: WgslFunction = {
  name: "exponentialLess1",
  text: () => `
fn exponentialLess1(a: T) -> T {
  var tail = T(1.0) + a / T(9.0);
  for (var n = 8.0; n > 1.0; n -= 1.0) { tail = T(1.0) + a * tail / T(n); }
  return select(exp(a) - T(1.0), a * tail, abs(a) < T(0.5));
}`,
};

/** log(1 + a): near 0 by 2 artanh(a / (2 + a)). */
export const logOf1And: WgslFunction = {
  name: "logOf1And",
  text: () => `
fn logOf1And(a: T) -> T {
  let s = a / (T(2.0) + a);
  let z = s * s;
  let tail = T(1.0) + z * (T(0.33333333) + z * (T(0.2) + z * (T(0.14285714) + z * T(0.11111111))));
  return select(log(T(1.0) + a), (s + s) * tail, (a > T(-0.25)) & (a < T(0.5)));
}`,
};

/** log(1 + e^a). */
export const logExp: WgslFunction = {
  name: "logExp",
  calls: [logOf1And],
  text: () => `
fn logExp(a: T) -> T { return max(a, T(0.0)) + logOf1And(exp(-abs(a))); }`,
};

export const logistic: WgslFunction = {
  name: "logistic",
  text: () => `
fn logistic(a: T) -> T { return T(1.0) / (T(1.0) + exp(-a)); }`,
};

export const hyperbolicTangent: WgslFunction = {
  name: "hyperbolicTangent",
  calls: [exponentialLess1],
  text: () => `
fn hyperbolicTangent(a: T) -> T {
  let e = exponentialLess1(clamp(a + a, T(-20.0), T(20.0)));
  return e / (e + T(2.0));
}`,
};

/** tanh(sqrt(2 / pi) * (a + 0.044715 a^3)), by which gelu is approximated. */
export const bent: WgslFunction = {
  name: "bent",
  calls: [hyperbolicTangent],
  text: () => `
fn bent(a: T) -> T { return hyperbolicTangent(T(0.7978845608028654) * (a + T(0.044715) * a * a * a)); }`,
};

/** erf: below 0.92 an odd polynomial, above 1 - e^q of a polynomial q, both fitted to a last bit of float32. */
export const errorFunction: WgslFunction = {
  name: "errorFunction",
  text: () => `
fn errorFunction(a: T) -> T {
  let t = min(abs(a), T(4.0));
  let s = a * a;
  let q = ((T(-1.72853470e-5) * t + T(3.83197126e-4)) * (t * t) + (T(-3.88396438e-3) * t + T(2.42546219e-2))) * t;
  let far = T(1.0) - exp((((q - T(1.06777877e-1)) * t - T(6.34846687e-1)) * t - T(1.28717512e-1)) * t - t);
  let inner = ((T(-5.96761703e-4) * s + T(4.99119423e-3)) * s - T(2.67681349e-2)) * s + T(1.12819925e-1);
  let near = ((inner * s - T(3.76125336e-1)) * s + T(1.28379166e-1)) * a + a;
  return select(near, select(far, -far, a < T(0.0)), t > T(0.927734375));
}`,
};

/**
 * The inverse of erf (Giles, Approximating the erfinv function, 2010): a times a polynomial in w = -log(1 - a^2),
 * below 5, or in its root.
 */
export const inverseErrorFunction: WgslFunction = {
  name: "inverseErrorFunction",
  calls: [logOf1And],
  text: () => `
fn inverseErrorFunction(a: T) -> T {
  let w = -select(log((T(1.0) - a) * (T(1.0) + a)), logOf1And(-a * a), abs(a) < T(0.5));
  let n = w - T(2.5);
  let nearest = ((T(2.81022636e-8) * n + T(3.43273939e-7)) * n - T(3.5233877e-6)) * n - T(4.39150654e-6);
  let near = ((((nearest * n + T(2.1858087e-4)) * n - T(1.25372503e-3)) * n - T(4.17768164e-3)) * n + T(2.46640727e-1)) * n
    + T(1.50140941);
  let f = sqrt(max(w, T(5.0))) - T(3.0);
  let farthest = ((T(-2.00214257e-4) * f + T(1.00950558e-4)) * f + T(1.34934322e-3)) * f - T(3.67342844e-3);
  let far = ((((farthest * f + T(5.73950773e-3)) * f - T(7.6224613e-3)) * f + T(9.43887047e-3)) * f + T(1.00167406)) * f
    + T(2.83297682);
  return select(a * select(near, far, w >= T(5.0)), a / (T(1.0) - abs(a)), abs(a) == T(1.0));
}`,
};

/** sin(a + shift pi / 2): a less the nearest multiple of pi / 2, which is subtracted in three parts, and a series. */
export const circular: WgslFunction = {
  name: "circular",
  text: () => `
fn circular(a: T, shift: T) -> T {
  let k = round(a * T(0.636619772));
  let r = ((a - k * T(1.5703125)) - k * T(4.837512969970703125e-4)) - k * T(7.54978995489188216e-8);
  let z = r * r;
  let sine = r + r * z * ((T(-1.9515295891e-4) * z + T(8.3321608736e-3)) * z - T(1.6666654611e-1));
  let high = (T(2.443315711809948e-5) * z - T(1.388731625493765e-3)) * z + T(4.166664568298827e-2);
  let cosine = T(1.0) - T(0.5) * z + z * z * high;
  let turn = k + shift - T(4.0) * floor((k + shift) * T(0.25));
  let value = select(sine, cosine, (turn == T(1.0)) | (turn == T(3.0)));
  return select(value, -value, turn >= T(2.0));
}`,
};

/** The text of those of the functions that `code` calls, and of those that these call, each before its callers. */
export function calledFunctions(code: string, functions: readonly WgslFunction[], flat: boolean): string {
  const called = new Set<string>();
  const visit = (caller: string, list: readonly WgslFunction[]): void => {
    for (const { name, calls = [], text } of list) {
      if (!caller.includes(name)) continue;
      visit(text(flat), calls);
      called.add(text(flat));
    }
  };
  visit(code, functions);
  return [...called].join("");
}

/** The error function in float64: its series, which the terms near 0 of the sum of e^-t^2 give. */
export function erfReference(a: number): number {
  if (Math.abs(a) > 6) return Math.sign(a);
  let term = a;
  let sum = a;
  for (let n = 1; n < 200; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
}

/** The inverse of {@link erfReference}, by halving: exact to float64, and slow. */
export function erfinvReference(a: number): number {
  if (!(Math.abs(a) < 1)) return Math.abs(a) === 1 ? a * Number.POSITIVE_INFINITY : Number.NaN;
  let [low, high] = [-6, 6];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (erfReference(middle) < a) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
