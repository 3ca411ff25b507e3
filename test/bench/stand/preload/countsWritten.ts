/** The interval in which a file of counts is written. */
export const COUNTS_WRITTEN_EVERY_MS = 100;
