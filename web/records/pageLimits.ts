/** Limits that only the page and its service worker read. The unit is in the name. */

// Sending
/** After this many `internal` errors a row is marked as not sent. */
export const PARK_AFTER_INTERNAL = 5;
/** The first append of a drain. The size is then halved and doubled between BATCH_MIN_BYTES and BATCH_MAX_BYTES. */
export const BATCH_BYTES = 16 * 1024;
export const BATCH_MIN_BYTES = 1024;
export const BATCH_MAX_BYTES = 48 * 1024;
/** An append must be acknowledged within SEND_TIMEOUT_MS and the time that its bytes take at SEND_BYTES_PER_SECOND. */
export const SEND_TIMEOUT_MS = 10_000;
export const SEND_BYTES_PER_SECOND = 5_000;
/** A holder of the drain lock sends a heartbeat to the other tabs every LOCK_HEARTBEAT_MS. After LOCK_STUCK_MS without one, another tab steals the lock. */
export const LOCK_STUCK_MS = 10_000;
export const LOCK_HEARTBEAT_MS = 3_000;
/** A `retryAfter` of the server is clamped to this range: the 20 ms of a rate limit would mean an append per item. */
export const RETRY_AFTER_MIN_MS = 1_000;
export const RETRY_AFTER_MAX_MS = 60_000;
/** The service worker sends for at most this long at a time; then it waits for the browser's next `sync` event. */
export const WORKER_WITHIN_MS = 60_000;

// Connection
/** Backoff: the first delay, doubled up to the second. */
export const RETRY_FIRST_MS = 500;
export const RETRY_MAX_MS = 10_000;
export const CONNECT_WITHIN_MS = 10_000;
export const CATCH_UP_WITHIN_MS = 20_000;
/** While the page is visible, a heartbeat (`beat`) is sent to the server after this long without a frame. */
export const SILENCE_MS = 10_000;
/** The same while an answer is being received. Doubled each time that it was too short. */
export const RECEIVING_SILENCE_MS = 20_000;
/** A heartbeat to the server must be answered within this. */
export const CONNECTION_HEARTBEAT_TIMEOUT_MS = 2_000;
/** A hidden page closes its connection after this. */
export const HIDDEN_CLOSE_MS = 60_000;
/** The first range request. The size is then halved and doubled between RANGE_LEAST_ENTRIES and RANGE_MAX_ENTRIES. */
export const RANGE_FIRST_ENTRIES = 100;
export const RANGE_LEAST_ENTRIES = 10;
/**
 * Holes of at most so many entries are filled without being looked at: what a catch-up leaves of a few hundred missed
 * entries. Larger ones are fetched where the person reads.
 */
export const PREFETCH_HOLE_ENTRIES = 200;
/** The same for a hole that is on the screen: filling a larger one would push the lines that are being read out of the window. */
export const PREFETCH_SHOWN_HOLE_ENTRIES = 20;
/** One request of that: 50 short texts are 10 kB, two seconds of a slow network, for which an acknowledgement may have to wait. */
export const PREFETCH_PIECE_ENTRIES = 50;
/** What one connection fetches in this way, in all rooms: some 400 kB, a twentieth of what the server allows at once. */
export const PREFETCH_MAX_ENTRIES = 2_000;

// IndexedDB
export const DATABASE_TIMEOUT_MS = 3_000;
/** The same while an upgrade runs, or while another tab still has an older version open. */
export const UPGRADE_TIMEOUT_MS = 10_000;
/** The log of an older schema is moved in transactions of at most this time and MOVE_SLICE_ENTRIES, in chunks of MOVE_CHUNK_ENTRIES. */
export const MOVE_SLICE_MS = 100;
export const MOVE_CHUNK_ENTRIES = 100;
export const MOVE_SLICE_ENTRIES = 2_000;
/** Between two of those transactions, other readers and writers get as long as the last one took, and at least this. */
export const MOVE_PAUSE_MS = 10;
/** Received entries are stored in transactions of about this time, in groups of about STORE_GROUP_ENTRIES whose requests are issued at once. */
export const STORE_SLICE_MS = 100;
export const STORE_GROUP_ENTRIES = 200;
/** So many records are put in one task: on a slow phone each takes the main thread about a millisecond. */
export const PUTS_AT_ONCE = 16;
/** On a full device old entries are evicted, down to this many of each room. */
export const KEPT_NEWEST_ENTRIES = 50;
/** Entries that one transaction deletes, where many are deleted: of a full device, of a restored log, at a sign-out. */
export const DELETE_SLICE_ENTRIES = 2_000;
/** The browser may report freed space late or never, so evictions are at least this far apart. */
export const FREE_SPACE_EVERY_MS = 60_000;

// New builds
/** The page looks for a new build this often, and reloads by itself to take one at most this often. */
export const UPDATE_EVERY_MS = 60 * 60_000;
/** For so long after it was opened, a page that nobody has touched may reload. A build has 90 kB: 4 s at 200 kbit/s. */
export const FRESH_PAGE_MS = 10_000;

// Screen
/** A room is shown once its messages are read, or after this: as long as the database has to answer (DATABASE_TIMEOUT_MS). */
export const OPEN_WITHIN_MS = 3_000;
/** A message counts as read after it was visible for this long. */
export const SEEN_AFTER_MS = 1_000;
/**
 * A draft is written to IndexedDB DRAFT_IDLE_MS after the last key, and at the latest DRAFT_WITHIN_MS after it was written
 * last; at once when the page is left, which may then be closed. People pause for half a second between thoughts.
 */
export const DRAFT_IDLE_MS = 500;
export const DRAFT_WITHIN_MS = 2_000;
export const LONG_PRESS_MS = 500;
/** Lines that the window of a log begins with, and holds at most. */
export const WINDOW_PAGE_LINES = 50;
export const WINDOW_MAX_LINES = 120;
/**
 * Lines by which it moves while somebody scrolls: each costs a phone that is four times slower 1.5 ms of one task. Fewer as
 * long as its end is more than a view away, so that tasks are short; else more, so that a fast reader does not outrun them.
 */
export const WINDOW_STEP_LINES = 12;
export const WINDOW_SMALL_STEP_LINES = 5;

/** How often whoever asks to come back looks whether a keeper has decided. */
export const COME_BACK_LOOK_EVERY_MS = 3_000;
/** How often a keeper's visible app looks for requests. Two of these, and the keeper's tap, are well within two minutes. */
export const KEEPER_LOOKS_EVERY_MS = 10_000;
/** The server is told of stored entries this long after: more may follow, and what a person waits for goes first. */
export const STORED_SOON_MS = 10_000;
