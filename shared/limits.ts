/**
 * Every number of the protocol, with its unit in its name. docs/PROTOCOL.md states those under all headings but "Server's
 * own" and "Client"; `npm run check` compares the values.
 */

// Who you are
export const NAME_MAX_CODE_POINTS = 40;
export const PASSWORD_MAX_CODE_POINTS = 200;
export const CLAIM_LIFETIME_MS = 24 * 60 * 60 * 1000;
export const COOKIE_LIFETIME_S = 400 * 24 * 60 * 60; // the longest a browser keeps one (RFC 6265bis)

// Connecting
export const CURSORS_MAX_ROOMS = 500;
export const CATCH_UP_MAX_ENTRIES = 200;
/** Where more is missing than CATCH_UP_MAX_ENTRIES: so many of the newest messages, with the entries between them. */
export const CATCH_UP_NEWEST_MESSAGES = 50;
/** Of one room, for those messages. */
export const CATCH_UP_ROOM_ENTRIES = 500;
export const CATCH_UP_ROOM_BYTES = 64 * 1024;
/** A catch-up or range with fewer says where the next ones begin (`older`); the app asks until it shows as many. */
export const MESSAGES_SHOWN_LEAST = 10;
/** Users whose change one `welcome` lists; the next handshake brings the rest. */
export const CHANGED_USERS_MAX = 1_000;
/**
 * Revisions of users are handed out before they are written, and may be written in another order: so many before
 * `usersSince` are listed again.
 */
export const USER_REVS_OVERLAP = 64;
export const CATCH_UP_MAX_BYTES = 512 * 1024;
/** By long polling a catch-up is one response, which is silence until its end. */
export const CATCH_UP_POLLED_BYTES = 64 * 1024;
/** One frame of a catch-up as JSON: over a slow network a larger one would be silence. */
export const CATCH_UP_FRAME_BYTES = 32 * 1024;

// Requests
export const ACKNOWLEDGE_WITHIN_MS = 8_000;
/** One is what a client sends at a time; how many of one socket may wait for their turn before it is told to come back. */
export const APPENDS_WAITING = 100;
export const APPEND_MAX_ITEMS = 100;
export const APPEND_MAX_BYTES = 64 * 1024;
export const RANGE_MAX_ENTRIES = 200;
export const RANGE_MAX_BYTES = 512 * 1024;
/** By long polling an answer, too, is silence until its end. */
export const RANGE_POLLED_BYTES = CATCH_UP_POLLED_BYTES;
export const ROOM_LIST_PAGE = 100;
export const BODY_MAX_CODE_POINTS = 4_000;
export const TYPING_EVERY_MS = 3_000;
export const TYPING_MAX_MEMBERS = 50;
/** What the engine takes at all: above it the connection is closed. Between APPEND_MAX_BYTES and this: `too-large`. */
export const FRAME_MAX_BYTES = 1_200_000;

// Rates
export const ITEMS_PER_SECOND = 50;
export const ITEMS_BURST = 500;
export const FRAMES_PER_SECOND = 100;
export const RENAMES_PER_DAY = 3;
export const SIGN_INS_PER_MINUTE = 10;
/** Guesses at one user's password, from wherever. More than one address may use up, so that one locks nobody out. */
export const WRONG_PASSWORDS_PER_MINUTE = 30;
/** New users and wrong passwords of one address, whatever the names: a whole ward may sign up behind one. */
export const SIGN_INS_PER_MINUTE_AND_ADDRESS = 60;
export const SIGN_INS_BURST_OF_ADDRESS = 200;

// Server → client
export const HEADS_EVERY_MS = 20_000;
export const RECHECK_EVERY_MS = 60_000;

// Server's own
export const RING_ENTRIES = 200;
export const BATCH_MAX_ENTRIES = 1_000;
export const FRAME_COALESCE_MS = 15;
/** So many frames of a room go out without a wait, after as many times 15 ms in which less was said. */
export const FRAMES_BURST = 16;
export const SHUTDOWN_WITHIN_MS = 10_000;

// Client
export const PARK_AFTER_INTERNAL = 5;
/** Where the size of an append begins; it is halved and doubled between the other two. */
export const BATCH_BYTES = 16 * 1024;
export const BATCH_MIN_BYTES = 1024;
export const BATCH_MAX_BYTES = 48 * 1024;
export const SEND_TIMEOUT_MS = 10_000;
export const SEND_BYTES_PER_SECOND = 5_000;
/** Where the size of a range begins; it is halved and doubled between the least and RANGE_MAX_ENTRIES. */
export const RANGE_FIRST_ENTRIES = 100;
export const RANGE_LEAST_ENTRIES = 10;
export const SILENCE_MS = 10_000;
/** So long it may be silent while something comes down, and twice as long after each time that was too short. */
export const RECEIVING_SILENCE_MS = 20_000;
export const BEAT_TIMEOUT_MS = 2_000;
export const HIDDEN_CLOSE_MS = 60_000;
export const DATABASE_TIMEOUT_MS = 3_000;
/** The same for an opening that is known to be at an upgrade, or to wait for a tab with an older version. */
export const UPGRADE_TIMEOUT_MS = 10_000;
/** What an older version of the page's database held moves in transactions of so long, of so many entries at a time and in all. */
export const MOVE_SLICE_MS = 100;
export const MOVE_CHUNK_ENTRIES = 100;
export const MOVE_SLICE_ENTRIES = 2_000;
/** Between them whoever reads and writes has as long as the last one took, and this at least. */
export const MOVE_PAUSE_MS = 10;
/** On a full device the log gives way, down to so many entries of each room. */
export const KEPT_NEWEST_ENTRIES = 50;
/** Of one transaction, so that none takes as long as the log is. */
export const EVICT_SLICE_ENTRIES = 2_000;
/** The room that was made may show late, or not at all: meanwhile no more is thrown away. */
export const MAKE_ROOM_EVERY_MS = 60_000;
export const DRAIN_STUCK_MS = 10_000;
export const DRAIN_BEAT_MS = 3_000;
/** What a server asks the outbox to wait is kept to within these: a limit's 20 ms would be an append for each item. */
export const REST_LEAST_MS = 1_000;
export const REST_MOST_MS = 60_000;
/** So long the service worker sends, at most; then the browser wakes it again. */
export const WORKER_WITHIN_MS = 60_000;
export const RETRY_FIRST_MS = 500;
export const RETRY_MAX_MS = 10_000;
export const CONNECT_WITHIN_MS = 10_000;
export const CATCH_UP_WITHIN_MS = 20_000;
export const UNREAD_COUNTED_MAX = 100;
export const SEEN_AFTER_MS = 1_000;
export const DRAFT_EVERY_MS = 300;
export const LONG_PRESS_MS = 500;
export const WINDOW_PAGE_LINES = 50;
export const WINDOW_MAX_LINES = 150;
