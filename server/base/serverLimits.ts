/** Limits that only the server reads and no client can observe. The unit is in the name. */

/** How many of the newest entries of a room the feed keeps in memory. */
export const RING_ENTRIES = 200;
/** Entries of one write to the store. */
export const BATCH_MAX_ENTRIES = 1_000;
/** Frames of a room are coalesced for this long. */
export const FRAME_COALESCE_MS = 15;
/** How many frames of a room go out without coalescing. One is regained for each FRAME_COALESCE_MS without a frame. */
export const FRAMES_BURST = 16;
export const SHUTDOWN_WITHIN_MS = 10_000;
/** Lines of the audit log per second, of one event that took place: above what sign-in limits and hashing let through. */
export const AUDIT_DONE_PER_SECOND = 1_000;
/** Lines of the audit log per second, of one kind of refusal: 86 MB a day at 100 bytes if all ten kinds are flooded. */
export const AUDIT_REFUSED_PER_SECOND = 10;

/**
 * Calls that wait for a thread of the database, or for its connections. 3,000 clients that come back at once, each with some
 * five reads, find room in it.
 */
export const STORE_CALLS_WAITING = 20_000;
