/**
 * Limits of the protocol, which docs/PROTOCOL.md states: `npm run check` compares every value here with it. The unit is in
 * the name. What only the server decides is in server/base/serverLimits.ts, what only the page decides in
 * web/records/pageLimits.ts.
 */

// Who you are
export const NAME_MAX_CODE_POINTS = 40;
/** Of combining marks and invisible characters in a new name. Burmese and Tibetan need up to six, the flag of England has six. */
export const MARKS_IN_A_ROW_MAX = 8;
/** Of a room's description: a few lines on a phone. */
export const DESCRIPTION_MAX_CODE_POINTS = 300;
export const PASSWORD_MAX_CODE_POINTS = 200;
export const CLAIM_LIFETIME_MS = 24 * 60 * 60 * 1000;
/** Of a one-time pass or code: enough to add the app to the home screen, or to walk to the other device and type. */
export const PASS_LIFETIME_MS = 10 * 60 * 1000;
/** Of 32 symbols: 30 bits. What that needs is in docs/SECURITY.md, "One-time passes". */
export const CODE_LENGTH = 6;
export const COOKIE_LIFETIME_S = 400 * 24 * 60 * 60; // the longest that a browser keeps a cookie (RFC 6265bis)

// Connecting
/** Of a string that is neither an id nor a text of a person, in UTF-16 units. A token has 43. */
export const STRING_MAX_LENGTH = 200;
export const FEATURES_MAX = 100;
export const CURSORS_MAX_ROOMS = 500;
export const CATCH_UP_MAX_ENTRIES = 200;
/** A room that lacks more than CATCH_UP_MAX_ENTRIES gets this many of the newest messages, with all entries between them. */
export const CATCH_UP_NEWEST_MESSAGES = 50;
/** Of one room in such a catch-up. */
export const CATCH_UP_ROOM_ENTRIES = 500;
export const CATCH_UP_ROOM_BYTES = 64 * 1024;
/** A catch-up or range with fewer messages has `older`, where older ones begin; the app requests ranges until it shows this many. */
export const MESSAGES_SHOWN_LEAST = 10;
/** How many changed users one `welcome` lists; the next handshake brings the rest. */
export const CHANGED_USERS_MAX = 1_000;
/**
 * Revisions of users are assigned before they are written, and may be committed out of order. So `welcome` also lists this
 * many revisions before `usersSince`.
 */
export const USER_REVS_OVERLAP = 64;
export const CATCH_UP_MAX_BYTES = 512 * 1024;
/** Over long polling a catch-up is one HTTP response: the client receives nothing until it is complete. */
export const CATCH_UP_POLLED_BYTES = 64 * 1024;
/** One frame of a catch-up as JSON. On a slow network the client would take a larger one for a dead connection. */
export const CATCH_UP_FRAME_BYTES = 32 * 1024;

// Requests
export const ACKNOWLEDGE_WITHIN_MS = 8_000;
/** A client sends one append at a time. How many appends of one socket are queued before further ones are refused. */
export const APPENDS_WAITING = 100;
export const APPEND_MAX_ITEMS = 100;
export const APPEND_MAX_BYTES = 64 * 1024;
export const RANGE_MAX_ENTRIES = 200;
export const RANGE_MAX_BYTES = 512 * 1024;
/** Over long polling, for the reason given at CATCH_UP_POLLED_BYTES. */
export const RANGE_POLLED_BYTES = CATCH_UP_POLLED_BYTES;
export const ROOM_LIST_PAGE = 100;
/** Of a search: how many rooms one request looks at, the next ones of the list; and how many it finds at most. */
export const ROOMS_SEARCHED = 200;
export const ROOMS_FOUND_MAX = 20;
/** How far the time by which rooms are listed may be behind that of a room's newest entry: it is written once in this time. */
export const ROOM_ACTIVITY_EVERY_MS = 60_000;
export const BODY_MAX_CODE_POINTS = 4_000;
/** Of a quoted text: two lines on a phone, and a screen reader's first sentence. */
/** UTF-16 units of an emoji, before it is looked at: as sent. The longest of Unicode 17 has 15. */
export const EMOJI_MAX_LENGTH = 40;
/** Different emoji that the counts of one message list, the most frequent ones. */
export const REACTION_EMOJI_SHOWN = 20;
/** People that they name for each emoji, the first ones: `reactors` has all. */
export const REACTION_PEOPLE_SHOWN = 3;
/** Reactions to one message that an answer to `reactors` lists, the oldest ones: 30 kB. */
export const REACTORS_MAX = 1_000;
export const QUOTE_CODE_POINTS = 200;
/** Owners and moderators of a room, together. */
export const MODERATORS_MAX = 50;
/** Banned people of a room that an answer to `room:roles` lists. */
export const BANNED_LISTED = 100;
/** People whom one message may mention: a ward's shift. */
export const MENTIONS_MAX = 20;
/** Of the name in a mention, in UTF-16 units: NAME_MAX_CODE_POINTS of two each. */
export const MENTION_NAME_MAX_LENGTH = 2 * NAME_MAX_CODE_POINTS;
/** Unread messages that mention the user, which `Room` lists, the oldest ones: for 500 rooms that is 70 kB. */
export const MENTIONS_LISTED_MAX = 20;
export const TYPING_EVERY_MS = 3_000;
/** A typist without another sign is not shown any more: so long that one sign may be lost. */
export const TYPING_SHOWN_MS = 2 * TYPING_EVERY_MS;
export const TYPING_MAX_MEMBERS = 50;
/** Of a room in which the members see who has read what. */
export const READERS_MAX_MEMBERS = TYPING_MAX_MEMBERS;
/** Of a room of which a client says again what it has stored: no more often than this. */
export const STORED_EVERY_MS = 60_000;
/** Rooms in one such request. */
export const STORED_ROOMS = 20;
/** Of a room whose members are told who comes and goes; and how many members of a larger one a page lists. */
export const PRESENCE_MAX_MEMBERS = TYPING_MAX_MEMBERS;
/** A visible page says this often that somebody looks at it. */
export const HERE_EVERY_MS = 10_000;
/** Whoever has not said so for this long is not here any more: one sign may be lost, and the next one late. */
export const HERE_SHOWN_MS = 25_000;
/** A page that is hidden or closed counts for this long after: reloading it is no coming and going. */
export const HERE_LEFT_MS = 5_000;
/** Engine.IO closes a connection that sends a larger frame. An append between APPEND_MAX_BYTES and this is answered `too-large`. */
export const FRAME_MAX_BYTES = 1_200_000;

/** Of the reason for a report: a sentence or two. */
export const REPORT_REASON_MAX_CODE_POINTS = 300;
/** Messages that a report shows before the one that is reported, and after it: what it answers, and what followed. */
export const REPORT_MESSAGES_AROUND = 3;
/** Reports that are open at the same time: of one room, and for the keepers. As many as somebody still reads. */
export const REPORTS_OPEN_MAX = 100;
/** A report that nobody closes is deleted after this. */
export const REPORT_LIFETIME_MS = 90 * 24 * 60 * 60 * 1000;
/** A closed report is kept for this long: it counts for the limit of a day, and an answer may have been lost. */
export const REPORT_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

// Rates
export const ITEMS_PER_SECOND = 50;
export const ITEMS_BURST = 500;
export const FRAMES_PER_SECOND = 100;
export const RENAMES_PER_DAY = 3;
/** Of one user, also to names that are taken: each asks the store, and tells whether somebody has the name. */
export const RENAME_ATTEMPTS_PER_MINUTE = 10;
/** Of one user. A hospital with fifty wards can be set up by one person in a morning. */
export const ROOMS_CREATED_PER_DAY = 50;
/** Of one user, also with people who never answer. Whoever moves into a new ward greets everybody within two days. */
export const DIRECT_BEGUN_PER_DAY = 20;
/** To somebody whom one shares no room with but the lobby, until they answer: enough to say who one is, and what one wants. */
export const STRANGER_MESSAGES_MAX = 10;
/** Of one user, closed ones included. */
export const REPORTS_PER_DAY = 20;
/** Of one user: whether somebody has a name. */
export const PERSON_LOOKUPS_PER_MINUTE = 20;
/** Of one user: whoever types a name asks some five times, and a long list is searched in several steps. */
export const ROOM_SEARCHES_PER_MINUTE = 60;
/** Changes of one room by one user. Each is an entry, and stays in the log. */
export const ROOM_CHANGES_PER_HOUR = 20;
/** Of all users behind one address, without the first room of each within a day. */
export const ROOMS_PER_MINUTE_AND_ADDRESS = 20;
export const ROOMS_BURST_OF_ADDRESS = 200;
/** A handshake cannot name more rooms. */
export const MEMBERSHIPS_MAX = CURSORS_MAX_ROOMS;
/** Of one user in one room, among its newest CATCH_UP_ROOM_ENTRIES: with the leaves they are a twenty-fifth of a newcomer's catch-up. */
export const REJOINS_PER_DAY = 10;
/** Of all users in one room. First joins are not counted. */
export const REJOINS_PER_MINUTE_AND_ROOM = 60;
export const SIGN_INS_PER_MINUTE = 10;
/**
 * Wrong passwords of one user from all addresses where the user has not been lately: 8,640 a day, against a botnet. Six
 * times what one address may try, so that one alone does not keep the user from signing in somewhere new.
 */
export const WRONG_PASSWORDS_PER_MINUTE = 6;
export const WRONG_PASSWORDS_BURST = 60;
/** Wrong passwords of one user from one address. The burst is for people who try all the passwords that they have. */
export const WRONG_PASSWORDS_PER_MINUTE_AND_ADDRESS = 1;
export const WRONG_PASSWORDS_BURST_OF_ADDRESS = 10;
/** Wrong current passwords when changing it: a stolen phone has 20 guesses a day, and leaves some to the other devices. */
export const CURRENT_PASSWORDS_PER_DAY_AND_DEVICE = 20;
export const CURRENT_PASSWORDS_PER_DAY = 100;
export const PASSWORD_CHANGES_PER_DAY = 10;
/** Passes, codes, recovery codes and invitations that one user makes. A phone makes a pass each time it opens the page until the app is installed. */
export const PASSES_PER_MINUTE = 6;
export const PASSES_BURST = 30;
/** Wrong codes from one address: somebody who mistypes has five tries, then one a minute. */
export const WRONG_CODES_PER_MINUTE_AND_ADDRESS = 1;
export const WRONG_CODES_BURST_OF_ADDRESS = 5;
/** Wrong codes from all addresses: at most 160 within the life of a code, of which there are a thousand million. */
export const WRONG_CODES_PER_MINUTE = 10;
export const WRONG_CODES_BURST = 60;
/** Of a request to come back: a keeper may be at lunch, and whoever asks waits for them. */
export const COME_BACK_LIFETIME_MS = 30 * 60 * 1000;
/** Requests to come back from one address: a ward behind it has lost few phones, and a stranger makes few requests. */
export const COME_BACKS_PER_HOUR_AND_ADDRESS = 6;
export const COME_BACKS_BURST_OF_ADDRESS = 5;
/** Requests that wait at the same time: for one name, and in all, which a keeper can still read. */
export const COME_BACKS_WAITING_OF_USER = 5;
export const COME_BACKS_WAITING = 50;
/** People whom a keeper's search finds: as many as one looks through; more letters find fewer. */
export const PEOPLE_FOUND_MAX = 20;
/** Of an invitation, unless its maker chooses otherwise: a shift plan's week, and a large ward. */
export const INVITATION_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
export const INVITATION_USES = 50;
/** A term; and as many people as one document of the database lists well. */
export const INVITATION_LIFETIME_MAX_MS = 100 * 24 * 60 * 60 * 1000;
export const INVITATION_USES_MAX = 1_000;
/** Valid invitations of one member to one room. */
export const INVITATIONS_OF_MEMBER = 10;
/** New devices of an existing user: each leaves a record for 400 days. Many people may share one user. */
export const DEVICES_PER_DAY = 100;
/** Of one user: one more signs out the one that was used least recently. */
export const DEVICES_MAX = 100;
/** Sign-ups and wrong passwords per address, for all names together. A whole hospital ward may sign up from one address. */
export const SIGN_INS_PER_MINUTE_AND_ADDRESS = 60;
export const SIGN_INS_BURST_OF_ADDRESS = 200;

// Server → client
export const HEADS_EVERY_MS = 20_000;
export const RECHECK_EVERY_MS = 60_000;
/** Unread messages are counted up to this. */
export const UNREAD_COUNTED_MAX = 100;
