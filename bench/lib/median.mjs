/** The middle value; of an even number of values the upper one of the two. */
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
