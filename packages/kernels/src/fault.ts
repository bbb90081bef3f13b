/**
 * Words of the device's fault record, in which kernels report bad data: a code and three numbers that depend on it. The
 * first report stays until it has been read.
 */
export const FAULT_WORDS = 4;

/** Codes of the record; 0 means that nothing was reported. */
export const FAULT = {
  /** A label outside the classes: the label, the index of its pixel, and the number of classes. */
  label: 1,
  /** A NaN or infinity in a result: the number of the op, and the element. */
  notFinite: 2,
} as const;
