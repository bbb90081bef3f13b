/**
 * The device's fault record, in which kernels report bad data: words for a code and three numbers that depend on it. The first
 * report stays until it has been read.
 */
export const FAULT_WORDS = 4;

/** Codes of the record; 0 says that nothing was reported. */
export const FAULT = {
  /** A label, where it stands, and the number of classes. */
  label: 1,
  /** The op whose result holds NaN or infinity, and the element. */
  notFinite: 2,
} as const;
