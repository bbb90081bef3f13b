/** Folders and files that import each other, a list for each group of cycles. The lists only get shorter. */
export const KNOWN_CYCLES = [];
