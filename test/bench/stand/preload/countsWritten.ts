/** How old a file of counts can be. */
export const COUNTS_WRITTEN_EVERY_MS = 100;
