/** What a process ends with, for whoever started it. As in sysexits.h. */

/** It was called in a wrong way. */
export const EX_USAGE = 64;
/** Something is not there now, and it is worth trying again. */
export const EX_TEMPFAIL = 75;
/** Something is to be put right first. */
export const EX_CONFIG = 78;
