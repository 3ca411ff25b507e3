/** The exit codes of our processes, as in sysexits.h: 75 is worth a restart, 64 and 78 are not. */

/** Wrong command line. */
export const EX_USAGE = 64;
/** Something is temporarily unavailable: try again. */
export const EX_TEMPFAIL = 75;
/** The configuration or the data has to be corrected first. */
export const EX_CONFIG = 78;
