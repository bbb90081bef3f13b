/** What a kernel may do to its result: max(x, 0), or min(max(x, 0), 6). NaN stays NaN. */
export type Activation = "relu" | "relu6";

/** The constant ACTIVATION of kernels that have one. */
export const activationNumber = (activation: Activation | undefined): number =>
  activation === undefined ? 0 : activation === "relu" ? 1 : 2;
