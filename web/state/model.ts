/**
 * What the screen knows and what a person can do: the seam between the client's heart and its views.
 * Views read `Readable`s and call `Client`; they never see a socket, a database or a row of the outbox.
 */
import type { User } from '../../shared/protocol/index.ts';
import type { Gap, GapEdge } from '../log/window.ts';
import type { Readable } from '../records/cell.ts';

export interface Client {
  readonly app: Readable<AppState>;
  /** The conversation of one room. Reading begins with the first subscriber and ends with the last. */
  conversation(room: string): Readable<ConversationState>;

  /**
   * Signs up or in. While somebody is in: as them again; or, where the server does not know them any more, as their heir.
   * Resolves with what to tell the person when it did not work.
   */
  signIn(name: string, password?: string): Promise<Outcome>;
  setPassword(password: string, current?: string): Promise<Outcome>;
  /** Ends this device's session; what waits in the outbox stays on the device. */
  signOut(): Promise<Outcome>;

  /** Which room is being looked at: its catch-up comes first. */
  open(room: string | undefined): void;
  loadOlder(room: string): void;
  loadNewer(room: string): void;
  loadBetween(room: string, gap: Gap, edge: GapEdge): void;
  /** Places the window around an entry. False where it is not to be had now. */
  jumpTo(room: string, offset: number): Promise<boolean>;
  toNewest(room: string): void;

  /** Resolves ok once the message is durable on this device and shown. Else the text must stay where it was typed. */
  send(room: string, body: string): Promise<Outcome>;
  /** A message that was not sent: again under the same key, changed under a new one, or not at all. */
  retry(clientOffset: string): Promise<Outcome>;
  amend(clientOffset: string, body: string): Promise<Outcome>;
  discard(clientOffset: string): Promise<Outcome>;
  /** Changes a text of one's own, whatever became of it so far: in place if it was never sent, else by an edit behind it (O4). `serverOffset`: where it stood when it was last seen. */
  edit(room: string, clientOffset: string, body: string, serverOffset?: number): Promise<Outcome>;
  /** Deletes a text of one's own: never sent, it is gone; else a deletion queues behind it. */
  remove(room: string, clientOffset: string): Promise<Outcome>;
  /** A person has seen the room up to this entry. Kept while there is no way to tell the server. */
  seen(room: string, upTo: number): void;

  draft(room: string): Promise<string>;
  saveDraft(room: string, text: string): void;
  /** The database could not be opened or written: once more. */
  retryStorage(): void;

  createRoom(name: string): Promise<Outcome & { room?: string }>;
  joinRoom(room: string): Promise<Outcome>;
  leaveRoom(room: string): Promise<Outcome>;
  /** Public rooms of the server, to look for one to join. */
  listPublic(): Promise<Outcome & { rooms?: PublicRoom[] }>;
}

/** `reason` is a sentence for the person, in their language. */
export type Outcome = { ok: true } | { ok: false; reason: Reason };

/** Why something did not work: a code the texts know (i18n), and the server's own sentence where there is one. */
export interface Reason {
  code: string;
  message?: string;
}

export type AppState =
  | { tag: 'starting' }
  /** The browser cannot run the app; `missing` names what it lacks. */
  | { tag: 'unsupported'; missing: string }
  /** The database cannot be opened now; `retryStorage` tries again. */
  | { tag: 'storage'; reason: Reason }
  /** Nobody is signed in here. */
  | { tag: 'hello' }
  | SignedIn;

export interface SignedIn {
  tag: 'in';
  user: User;
  /** Undefined until the server said. */
  hasPassword: boolean | undefined;
  lastDevice: boolean | undefined;
  connection: ConnectionState;
  /** Rows that are not settled and not parked, of all rooms. */
  waiting: number;
  /** Newest activity first. */
  rooms: RoomSummary[];
  /** False where the browser withholds service workers (plain HTTP from another machine). */
  startsOffline: boolean;
  storage: StorageState;
}

/**
 * Whether this device takes what is written: `full` it has no room, `failing` it does not say why. `emptied`: the browser
 * threw away what was stored, unsent messages with it; said until `retryStorage`.
 */
export type StorageState = 'ok' | 'full' | 'failing' | 'emptied';

export type ConnectionState =
  | { tag: 'live' }
  | { tag: 'connecting' }
  | { tag: 'catching-up' }
  /** What an older version of the app held is being moved; `percent` of it is, 0 to 99. */
  | { tag: 'moving'; percent: number }
  | { tag: 'offline' }
  /** The session is no more: everything is kept, signing in again sends it. */
  | { tag: 'signed-out' }
  /** The server knows no such user: its data was put back. Signing up again, from here, takes along what waits. */
  | { tag: 'unknown' }
  /** This version is too old for the server. */
  | { tag: 'upgrade' };

export interface RoomSummary {
  id: string;
  name: string;
  kind: 'public' | 'private' | 'direct';
  members: number;
  /** The last line of it, own unsent ones included. */
  last: { author: string; mine: boolean; text: string | undefined; deleted: boolean; at: number } | undefined;
  draft: string;
  /** Rows of this room that wait. */
  waiting: number;
  notSent: number;
  /** Others' lines after what was read, counted up to UNREAD_COUNTED_MAX. */
  unread: number;
  /** False: left, and listed only because something of one's own is still there. */
  member: boolean;
  /** The server cannot read this room now; what is held of it shows, and it is tried again by itself. */
  failing?: Reason;
}

export interface PublicRoom {
  id: string;
  name: string;
  members: number;
}

export interface ConversationState {
  /** Ascending; a window of what is held, at most some 150, not the whole log. */
  messages: Message[];
  /** Between these messages, or behind the last that was sent, something is not held. Ascending. */
  gaps: Gap[];
  /** True when the first message here is the room's first. */
  atStart: boolean;
  /** True when the last message here is the newest held. */
  atNewest: boolean;
  /** Older ones are being fetched; `stuck` when that needs a connection that is not there. */
  older: 'idle' | 'loading' | 'stuck';
  /** The same for what a gap lacks. */
  between: 'idle' | 'loading' | 'stuck';
  /** Key of the first line that was unread when the conversation was opened; the same while it is open. */
  newSince: string | undefined;
  /** Others' lines newer than the newest that was shown at the end, counted also when they are not in `messages`. */
  unseen: number;
  /** Nothing is known of this room yet: the database is still being read. */
  loading: boolean;
}

export interface Message {
  /** Stable through queued → sent: made of author and clientOffset. */
  key: string;
  clientOffset: string;
  /** Undefined while it waits. */
  serverOffset: number | undefined;
  author: { id: string; name: string };
  mine: boolean;
  /** For people to read; milliseconds. The device's clock while it waits, the server's afterwards. */
  at: number;
  content:
    | { tag: 'text'; body: string; edited: boolean }
    | { tag: 'deleted' }
    /** Of a kind that this version cannot show. */
    | { tag: 'unknown'; kind: string }
    /** The server cannot read what it has stored there. */
    | { tag: 'unreadable' };
  status: Status;
  /** Of which change `status` speaks. */
  pending: 'none' | 'edit' | 'delete';
  /** What `edit` and `remove` would take; a message that was not sent has `retry`, `amend` and `discard` instead. */
  can: { edit: boolean; remove: boolean };
}

/** What the person is told of one message (O3). Others' messages are `sent`. */
export type Status =
  | { tag: 'queued' }
  | { tag: 'sending' }
  | { tag: 'checking' }
  | { tag: 'sent' }
  | { tag: 'not-sent'; reason: Reason };
