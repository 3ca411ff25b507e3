/** Limits that only the server reads and no client can observe. The unit is in the name. */

/** How many of the newest entries of a room the feed keeps in memory. */
export const RING_ENTRIES = 200;
/** Of these entries in memory, of one room: 200 of 900 characters. A room of longer ones keeps fewer. */
export const RING_MAX_BYTES = 512 * 1024;
/** Of the entries of all rooms: 64 rooms that are full, or 600 with messages of 40 characters; an eighth of a heap of 256 MB. */
export const RINGS_MAX_BYTES = 32 * 1024 * 1024;
/** Entries of one write to the store. */
export const BATCH_MAX_ENTRIES = 1_000;
/** Of the entries that wait for a write to end: at the usual size 60,000, four seconds of what goes. */
export const APPENDS_WAITING_BYTES = 32 * 1024 * 1024;
/** Frames of a room are coalesced for this long. */
export const FRAME_COALESCE_MS = 15;
/** How many frames of a room go out without coalescing. One is regained for each FRAME_COALESCE_MS without a frame. */
export const FRAMES_BURST = 16;
/** Creations, joins and leaves of one user that wait for each other; further ones are refused. */
export const ROOM_CHANGES_WAITING = 100;
/** Of the whole shutdown: a second less than the 10 s after which Docker kills a container (test/server/container.test.ts). */
export const SHUTDOWN_WITHIN_MS = 9_000;
/** At a shutdown: until files and other answers that are under way have left. */
export const ANSWERED_WITHIN_MS = 1_000;
/** After `bye`, clients come back after this, and spread over a time that grows with their number: 3,000 over 9 s. */
export const BYE_RETRY_AFTER_MS = 1_000;
export const BYE_SPREAD_MS = 3;
export const BYE_SPREAD_MAX_MS = 20_000;

// Workers
/** A worker that was told to stop is killed after this; it may take SHUTDOWN_WITHIN_MS. */
export const STOPPED_WITHIN_MS = 10_000;
/** A worker that has ended is started again after this, each further time twice as long. */
export const WORKER_RESTART_FIRST_MS = 100;
export const WORKER_RESTART_MAX_MS = 10_000;
/** One that has lived so long is started again at once. */
export const WORKER_STEADY_AFTER_MS = 30_000;
/** Each worker says this often that it lives; one that was not heard for so long gets no connections until it is heard. */
export const WORKER_ALIVE_EVERY_MS = 1_000;
export const WORKER_SILENT_MS = 5_000;
/** How long a request with a session of Engine.IO waits until a worker has told of that session; usually for a few milliseconds. */
export const SESSION_KNOWN_WITHIN_MS = 500;
/** A worker that starts waits so long for the certificate that its primary has, where it cannot use the files. */
export const TLS_OF_PRIMARY_WITHIN_MS = 5_000;
/** The metrics are those of the workers that answer within this. */
export const METRICS_OF_WORKER_MS = 2_000;
/** How often the TLS files are looked at. A change is used when it has lasted from one look to the next. */
export const TLS_POLL_MS = 5_000;
/** How long a read marker waits to be written with others: 200 readers of a message are one transaction. */
export const MARKS_EVERY_MS = 1_000;
/** Read markers that wait to be written; some 200 bytes each. Further ones are refused until the store takes them. */
export const MARKS_PENDING_MAX = 50_000;
/** Read markers of one transaction: an append may wait for it, some 10 ms. */
export const MARKS_PER_WRITE = 1_000;
/** Lines of the audit log per second, of one event that took place: above what sign-in limits and hashing let through. */
export const AUDIT_DONE_PER_SECOND = 1_000;
/** Lines of the audit log per second, of one kind of refusal: 86 MB a day at 100 bytes if all ten kinds are flooded. */
export const AUDIT_REFUSED_PER_SECOND = 10;

/**
 * Calls that wait for a thread of the database, or for its connections. 3,000 clients that come back at once, each with some
 * five reads, find room in it.
 */
export const STORE_CALLS_WAITING = 20_000;
/** A call of the store: less than the 8 s in which a request is answered, more than the 5 s that a write may wait for the majority. */
export const STORE_ANSWERS_WITHIN_MS = 7_000;

// Before identity
/** Of the packet CONNECT, in UTF-16 units: 500 cursors and 500 proofs have up to 61,000. */
export const HANDSHAKE_MAX_LENGTH = 80 * 1024;
/** Of one request of long polling, until its client is authenticated. */
export const HANDSHAKE_BODY_BYTES = 128 * 1024;
/** A TCP connection that has sent no byte is closed after this. */
export const FIRST_BYTE_WITHIN_MS = 5_000;
/** A handshake with 500 cursors takes 5 s at 5 kB/s, and a slow phone opens TLS first. */
export const CONNECTED_WITHIN_MS = 30_000;
export const HEADERS_WITHIN_MS = 15_000;
/** Until a whole request has arrived: 64 KiB at 1 kB/s. */
export const REQUEST_WITHIN_MS = 60_000;
/** Proxies reuse connections that are idle for up to 60 s; where the server closes one first, they answer 502. */
export const KEEP_ALIVE_MS = 75_000;
/**
 * TCP connections, and sessions of Engine.IO, on which nobody is authenticated: the oldest are closed beyond this. Three thousand clients that come back at
 * the same time after a restart stay below it. Of one address, unless it is a proxy's; and in all.
 */
export const STRANGERS_OF_ADDRESS = 4_000;
export const STRANGERS = 6_000;

// What one connection may send
/** Packets of Engine.IO and pings of the WebSocket. A client makes at most FRAMES_PER_SECOND requests a second. */
export const PACKETS_PER_CONNECTION = { perSecond: 300, burst: 3_000 };
export const PACKETS_PER_POLL = 512;
/** UTF-16 units. An outbox sends at most ITEMS_PER_SECOND items: 50 of the longest have 800 kB. */
export const RECEIVED_PER_CONNECTION = { perSecond: 1024 * 1024, burst: 4 * 1024 * 1024 };
/** An event without a number of an acknowledgement, in UTF-16 units: `typing` in a room has some 60. */
export const UNANSWERED_MAX_LENGTH = 200;
/** `typing` of one user. The app sends one in TYPING_EVERY_MS, and one when the field is empty again; people may use several tabs. */
export const TYPING_SIGNS = { perSecond: 1, burst: 6 };
/** Read markers of a room are told to its other members together, this long after the first: fifty who read a message are one frame. */
export const READERS_EVERY_MS = 1_000;
/** Who came and went is told together, this often: 200 people who come within a second are one frame for each who watches. */
export const PRESENCE_EVERY_MS = 1_000;
/** Each process tells the others at least this often that it lives. */
export const PRESENCE_REPORT_MS = 5_000;
/** A process that was not heard for this long is gone, with those who were here by it: two reports may be lost. */
export const PRESENCE_SILENT_MS = 15_000;
/** When somebody was here last is stored this often while they are here, so that a crash makes it a minute too early. */
export const SEEN_EVERY_MS = 60_000;
/** These times are written together, at most this often. */
export const SEEN_WRITES_EVERY_MS = 10_000;
/** Of one such write: an append may wait for it, some 10 ms. */
export const SEEN_PER_WRITE = 1_000;
/** Names with one beginning that are looked through for members of a room. */
export const NAMES_SEARCHED = 200;
/** Ranges and lists of one socket that wait for their turn. The app has four ranges under way. */
export const READS_WAITING = 32;

// Backpressure: bytes that a client has not received yet
/** From here on `heads` replace live frames, and ranges wait. */
export const UNSENT_SLOW_BYTES = 64 * 1024;
/** Beyond this the connection is closed. A catch-up and a range have at most 512 KiB each. */
export const UNSENT_MAX_BYTES = 2 * 1024 * 1024;
/** Of all connections of this process: the connections with most are closed. */
export const UNSENT_TOTAL_BYTES = 48 * 1024 * 1024;
export const UNSENT_CHECK_MS = 250;
/** After its connection was closed for that, a device gets entries of the open room alone for this long. */
export const SLOW_FOR_MS = 60_000;

// Connections of one person
/** Tabs of one browser. Beyond this the oldest is closed. */
export const SOCKETS_OF_DEVICE = 16;
export const SOCKETS_OF_USER = 64;
/** A company behind one address. */
export const SOCKETS_OF_ADDRESS = 10_000;
/** Every session of a ward may have ended: its devices ask some times, and stop. */
export const UNKNOWN_TOKENS_OF_ADDRESS = { perSecond: 10, burst: 500 };
/** Of one request. The longest of the app has some 200. */
export const URL_MAX_LENGTH = 2_048;
/** Requests of one connection that wait for their answers. Browsers send one at a time, which may come before the end of the last is noticed. */
export const REQUESTS_PER_CONNECTION = 2;
/**
 * Streams of HTTP/2 that are open at once on one connection. RFC 9113 recommends 100, and nghttp2 has that bound until the
 * client has acknowledged ours. A page has some fifteen files.
 */
export const STREAMS_PER_CONNECTION = 100;
/** Of one request in HTTP/2, names and values; the same as Node's bound in HTTP/1.1. */
export const HEADERS_MAX_BYTES = 16 * 1024;
/** Of all connections of HTTP/2, in one turn of the event loop: some 3 ms. */
export const REQUESTS_PER_TURN = 16;
/** Streams that the client of a connection resets. A browser resets those of a page that is left, and polls of a closed tab. */
export const RESETS_PER_CONNECTION = { perSecond: 5, burst: 50 };
/** SETTINGS and PING of HTTP/2. Browsers send a few. */
export const CONTROL_FRAMES_PER_CONNECTION = { perSecond: 10, burst: 100 };
/** Three thousand clients behind one address come back at the same time after a restart. */
export const HANDSHAKES_OF_ADDRESS = { perSecond: 200, burst: 6_000 };
/** How many handshakes one that is refused counts as. */
export const REFUSED_HANDSHAKE_COST = 10;
export const HANDSHAKES_OF_USER = { perSecond: 5, burst: 100 };
/** Refusals because of a limit. Who goes on all the same is disconnected for OFFENDER_RETRY_MS. */
export const OFFENCES_OF_USER = { perSecond: 20, burst: 400 };
export const OFFENDER_RETRY_MS = 30_000;
/** A page has some fifteen files, and two hundred people behind one address load it at the same time. */
export const HTTP_REQUESTS_OF_ADDRESS = { perSecond: 500, burst: 10_000 };

// Passwords
/** Addresses where a user was lately: how many are kept of a user, of how many users, and for how long. */
export const RECENT_ADDRESSES = 8; // homes, work, mobile networks
export const RECENT_ADDRESS_USERS = 20_000; // about 15 MB if all of them have 8 addresses
export const RECENT_ADDRESS_LIFETIME_MS = 30 * 24 * 60 * 60 * 1_000;
/** A password hash takes 0.1 to 0.3 s of CPU. Two at once leave two of the four threads of libuv to files and DNS. */
export const HASHES_AT_ONCE = 2;
export const HASHES_WAITING = 100;
/** Below ACKNOWLEDGE_WITHIN_MS, with time for the hash itself and the store. */
export const HASH_WAIT_MS = 5_000;

// Keepers
/** How long a process keeps the list of keepers: who has just become one on another process is one there after this. */
export const KEEPERS_CACHED_MS = 5_000;
/** Of one user: whether others see what they have read. Each change makes those who look at a room with the user ask again. */
export const READERS_SHOWN_CHANGES = { perSecond: 1 / 30, burst: 10 };
/** Rooms of which one user tells what is stored: four devices come back at once with 500 rooms each, then 1,200 rooms a minute. */
export const STORED_OF_USER = { perSecond: 20, burst: 2_000 };
/** How long a process keeps the list of those who are suspended. */
export const SUSPENDED_CACHED_MS = 2_000;
/** Each process reads that list this often, and disconnects who is on it, in case the message of another process was lost. */
export const SUSPENDED_CHECK_MS = 5_000;
/** When an app whose user is suspended asks again. */
export const SUSPENDED_RETRY_MS = 10_000;
/** After its end an invitation is kept, so that whoever follows it is told that it has expired. */
export const INVITATION_KEPT_MS = 30 * 24 * 60 * 60 * 1000;
/** The app asks every 3 s whether its request was decided. */
export const COME_BACK_LOOKS_OF_ADDRESS = { perSecond: 10, burst: 200 };

// Operators (`/admin`)
/** Passwords that are tried; one that is right is not counted. An attacker with many addresses tries 9,000 a day in a process. */
export const OPERATOR_GUESSES_OF_ADDRESS = { perSecond: 1 / 60, burst: 5 };
export const OPERATOR_GUESSES = { perSecond: 1 / 10, burst: 20 };
/** A check takes 0.3 s at the cost 12, in a thread; one at a time. */
export const OPERATOR_CHECKS_WAITING = 5;
/** What a hash may cost: at 14 a check takes 1.2 s; below 10 whoever reads the hash tries passwords too quickly. */
export const BCRYPT_COST_MIN = 10;
export const BCRYPT_COST_MAX = 14;
export const OPERATOR_SESSION_MS = 12 * 60 * 60 * 1_000;
export const OPERATOR_SESSIONS = 200;
/** When a process has heard of all others: each says something every 5 s. Until then it asks them again for a session. */
export const OTHERS_HEARD_AFTER_MS = 10_000;
/** A process that stops tells the others of its sessions so often: one that has just started may not hear the first words. */
export const OPERATOR_SESSIONS_SHARED_TIMES = 3;
export const OPERATOR_ASKS_EVERY_MS = 500;
/** Connected to one process. */
export const OPERATORS_MAX = 20;
/** The page of operators takes a server for gone that it has not heard of for 10 s. */
export const OPERATOR_LOOK_MS = 3_000;
/** Sockets of one process that operators see. A report of 100 has some 20 kB, and the collection between processes 1 MB. */
export const SOCKETS_SHOWN = 100;
/** What an operator has not received yet; the sockets of eight processes are a tenth of it. Beyond it the connection is closed. */
export const UNSENT_OF_OPERATOR_BYTES = 512 * 1024;
export const OPERATOR_COMMANDS = { perSecond: 5, burst: 50 };
/** Of a packet of the namespace `/admin`, in UTF-16 units: its handshake has some 100. */
export const OPERATOR_PACKET_MAX_LENGTH = 512;
/** Handshakes of one connection in that namespace: the page makes a new connection for each. */
export const OPERATOR_HANDSHAKES_PER_CONNECTION = 10;

// Devices
/** Uses of devices are written together: three thousand that come back on one morning are a few writes. */
export const DEVICES_SEEN_EVERY_MS = 2_000;
export const DEVICES_SEEN_AT_ONCE = 500;
/** The sweep of devices that nobody used for 400 days, and how many one call of the store removes. */
export const EXPIRY_EVERY_MS = 6 * 60 * 60 * 1_000;
export const EXPIRED_AT_ONCE = 200;
