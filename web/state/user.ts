/** Everything that runs for the one user who is signed in: one database, one connection, one outbox (O5). */

import { idFrom } from '../../shared/mint.ts';
import type { User, WireError } from '../../shared/protocol/index.ts';
import { type Change, channelOf, concerns, createChanges } from '../db/changes.ts';
import type { SignedInHere } from '../db/local.ts';
import { openUserDatabase } from '../db/schema.ts';
import { createLazyMover } from '../log/lazyMove.ts';
import { createLazySync } from '../log/lazySync.ts';
import { createLazyDrain } from '../outbox/lazyDrain.ts';
import { createLock, drainLockOf } from '../outbox/lock.ts';
import { reasonOf } from '../outbox/row.ts';
import { DRAIN_STUCK_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from '../transport/browser.ts';
import { createLazyLink } from '../transport/lazyLink.ts';
import { createBackground } from './background.ts';
import { createConversation } from './conversation.ts';
import type { Deps } from './deps.ts';
import { createDrafts } from './drafts.ts';
import { type QueueingConversation, withJustQueued } from './justQueued.ts';
import type { Client, ConnectionState, RoomSummary, SignedIn } from './model.ts';
import { createOutboxActions } from './outboxActions.ts';
import { createReads } from './reads.ts';
import { createRoomActions } from './roomActions.ts';
import { createStorageState } from './storageState.ts';
import { createSummaries } from './summaries.ts';

/** What a client does while somebody is signed in. */
export type UserActions = Omit<
  Client,
  'app' | 'signIn' | 'signOut' | 'setPassword' | 'conversation' | 'open'
>;

export interface UserClient extends UserActions {
  readonly id: string;
  conversation(room: string): QueueingConversation;
  /** A view looks at another room, or at none. */
  open(): void;
  /** Resolves once everything that was typed is on disk. */
  flush(): Promise<void>;
  /** Signed in again: what waits can go on. */
  signedIn(session: SignedInHere): void;
  /** More is known of the session. */
  know(session: SignedInHere): void;
  close(): void;
}

interface Outside {
  show(state: SignedIn): void;
  /** There is a connection: the server may be asked about the session. */
  live(): void;
  /** The server knows no session of this browser. */
  signedOut(): void;
  /** The user has another name, or more is known of them. */
  renamed(user: User): void;
  /** The room that is looked at: it is read, and caught up with, first. */
  looking(): string | undefined;
}

/** Resolves once there is something to show, from the database alone. Rejects where it cannot be opened. */
export async function openUser(deps: Deps, session: SignedInHere, outside: Outside): Promise<UserClient> {
  const { clock, random } = deps;
  const { user } = session;
  const db = openUserDatabase(deps.indexedDB, clock, user.id, {
    makeRoom: async (full) => (await import('../db/evict.ts')).makeRoom(full), // hardly anybody ever needs it
    emptied() {
      storage.emptied();
      drafts.emptied();
      link.tell({ type: 'unusable' }); // everything is fetched anew
      void refresh({ type: 'all' });
    },
  });
  const newKey = () => idFrom(deps.randomBytes(16));
  const holder = newKey();
  const lock = createLock(deps.locks, drainLockOf(user.id), { clock, stuckMs: DRAIN_STUCK_MS });
  const conversations = new Map<string, QueueingConversation>();
  let known = session;
  let letGo = () => {};
  let persisted = false;
  let closed = false;

  const changes = createChanges(deps.channel(channelOf(user.id)), (change) => {
    if (closed) return;
    if (change.type === 'draining') {
      if (change.holder !== holder) lock.heard();
      return;
    }
    if (change.type === 'placed') {
      for (const { room, serverOffset } of change.placed) sync.check(room, serverOffset);
      return;
    }
    if (change.type === 'all' || (change.type === 'users' && change.users.includes(user.id)))
      learnName().catch((error) => closed || console.warn('the own name could not be read', error));
    const shown = refresh(change);
    if (change.type === 'queued') void shown.then(() => drain.rows()); // shown first, then tried
  });
  const summaries = createSummaries(db, user, () => {
    link.tell({ type: 'waiting', waiting: summaries.waiting() > 0 });
    background.changed();
    publish();
  });
  const storage = createStorageState({
    db,
    clock,
    changed: publish,
    takesAgain(after) {
      if (after === 'full') link.tell({ type: 'unusable' }); // what was not stored meanwhile comes with the next welcome
      lookAgain();
    },
  });
  const drafts = createDrafts({
    db,
    clock,
    storage,
    newKey,
    changed: (room) => changes.tell({ type: 'draft', room }),
  });
  const link = createLazyLink(
    {
      loadIo: deps.loadIo,
      clock,
      random,
      visible: deps.page.visible,
      online: deps.page.online,
      handshake: () => firstPaint.then(mover.newest).then(sync.handshake), // cursors are of what is moved
      frame: (frame) => sync.frame(frame),
      unreadable: (room) => sync.unreadable(room),
      catchingUp: () => sync.catchingUp(),
      changed(status) {
        if (status === 'live') {
          outside.live();
          for (const conversation of conversations.values()) conversation.live();
        } else {
          drain.down();
          sync.down();
          if (status === 'signed-out') outside.signedOut();
        }
        background.changed();
        publish();
      },
    },
    () => firstPaint,
  );
  const background = createBackground({
    register: deps.background?.register,
    waiting: summaries.waiting,
    status: link.status,
  });
  const reads = createReads({
    db,
    link,
    clock,
    me: user.id,
    changed: (rooms) => changes.tell({ type: 'marks', rooms }),
  });
  const sync = createLazySync({
    db,
    me: user.id,
    opened: outside.looking,
    link: () => link,
    clock,
    random,
    changed: (change) => changes.tell(change),
    storage,
    read: reads.heard,
    progressed: publish,
    welcomed() {
      if (link.status() !== 'live') return;
      drain.up();
      reads.live();
    },
  });

  const mover = createLazyMover({
    db,
    clock,
    opened: outside.looking,
    changed: (change) => changes.tell(change),
    progressed: publish,
  });

  /** What the database has by now may be more than anybody was told. */
  function lookAgain(): void {
    void refresh({ type: 'all' }).then(() => drain.rows());
  }

  /** As the server or another tab has just said it. */
  async function learnName(): Promise<void> {
    const now = await db.read(['users'], (tx) => tx.objectStore('users').get(user.id));
    if (!now || now.name === known.user.name) return;
    known = { ...known, user: now };
    publish();
    outside.renamed(now);
  }

  async function refresh(change: Change): Promise<void> {
    const shown = [...conversations].filter(
      ([room]) => SHOWN_BY_CONVERSATIONS.has(change.type) && concerns(change, room),
    );
    await Promise.all([
      summaries.refresh(change),
      ...shown.map(([, conversation]) => conversation.refresh()),
    ]);
  }

  function publish(): void {
    if (closed) return;
    outside.show({
      tag: 'in',
      user: known.user,
      hasPassword: known.hasPassword,
      lastDevice: known.devices === undefined ? undefined : known.devices === 1,
      connection: connection(),
      waiting: summaries.waiting(),
      rooms: summaries.list().map((room) => withFailure(room, sync.failing().get(room.id))),
      startsOffline: deps.startsOffline,
      storage: storage.get(),
    });
  }

  function connection(): ConnectionState {
    const status = link.status();
    const percent = status === 'live' || status === 'connecting' ? mover.percent() : undefined;
    if (percent !== undefined) return { tag: 'moving', percent };
    return { tag: status === 'live' && sync.catchingUp() ? 'catching-up' : status };
  }

  function conversation(room: string): QueueingConversation {
    const there = conversations.get(room);
    if (there) return there;
    const isLive = () => link.status() === 'live';
    const made = withJustQueued(
      createConversation({ db, me: user, room, sync, isLive, clock, random }),
      user,
    );
    conversations.set(room, made);
    return made;
  }

  function close(): void {
    closed = true;
    stopListening();
    drain.close();
    drafts.close();
    storage.close();
    reads.close();
    mover.close();
    sync.close();
    link.close();
    changes.close();
    db.close();
  }

  function pageSays(type: BrowserEvent): void {
    if (type === 'freeze') db.standStill();
    else if (type !== 'hidden' && type !== 'pagehide') db.goOn();
    if (type === 'hidden' || type === 'freeze' || type === 'pagehide') {
      void drafts.flush();
      background.hidden();
    }
    link.tell({ type });
  }

  /** The conversation is there when the rooms are, so that all is painted at once. It is held until a view holds it. */
  async function lookFirst(): Promise<void> {
    await mover.begin();
    const room = outside.looking();
    if (room) letGo = conversation(room).state.subscribe(() => {});
    await Promise.all([room && conversation(room).refresh(), summaries.open()]);
  }

  const stopListening = deps.page.listen(pageSays);
  const firstLook = lookFirst();
  const firstPaint = firstLook.then(deps.painted); // all that needs the network waits for it
  const drain = createLazyDrain(
    {
      db,
      me: user.id,
      clock,
      random,
      newKey,
      holder,
      lock,
      storage,
      beat: () => changes.tell({ type: 'draining', holder }),
      placed(placed) {
        if (placed.length > 0) changes.tell({ type: 'placed', placed });
      },
      append: (items, answered) => link.request('append', { as: user.id, items }, answered),
      uploading: (bytes) => link.tell({ type: 'uploading', bytes }),
      suspect: () => link.tell({ type: 'suspect' }),
      stopped: (why) => link.tell({ type: 'stopped', why }),
      changed(rooms, type) {
        if (rooms.length > 0) changes.tell({ type, rooms });
      },
    },
    firstPaint,
  );
  try {
    await firstLook;
  } catch (error) {
    close();
    throw error;
  }

  return {
    id: user.id,
    conversation,
    open: () => letGo(),
    loadOlder: (room) => conversation(room).loadOlder(),
    loadNewer: (room) => conversation(room).loadNewer(),
    loadBetween: (room, gap, edge) => conversation(room).loadBetween(gap, edge),
    jumpTo: (room, offset) => conversation(room).jumpTo(offset),
    toNewest: (room) => void conversation(room).toNewest(),
    ...createOutboxActions({
      db,
      me: user.id,
      drafts,
      storage,
      newKey,
      now: () => clock.now() + sync.offsetOfClock(),
      targetOf: (room, clientOffset) =>
        conversation(room)
          .state.get()
          .messages.find((message) => message.mine && message.clientOffset === clientOffset)?.serverOffset,
      async show(room) {
        changes.tell({ type: 'queued', rooms: [room] });
        await conversation(room).refresh();
      },
      showNew(draft) {
        const painted = deps.painted(); // what is read for all that tells of it would hold up that frame
        void painted.then(() => closed || changes.tell({ type: 'queued', rooms: [draft.room] }));
        return conversation(draft.room).queued(draft, painted);
      },
      persist() {
        if (!persisted) deps.persist();
        persisted = true;
      },
    }),
    ...createRoomActions(link, sync, newKey),
    seen: reads.seen,
    draft: drafts.draft,
    saveDraft: drafts.save,
    flush: drafts.flush,
    retryStorage() {
      storage.seen();
      lookAgain();
    },
    signedIn(session) {
      known = session;
      link.tell({ type: 'signed-in' });
      publish();
    },
    know(session) {
      known = session;
      publish();
    },
    close,
  };
}

function withFailure(room: RoomSummary, error: WireError | undefined): RoomSummary {
  return error ? { ...room, failing: reasonOf(error) } : room;
}

/** The others change nothing that a conversation shows. */
const SHOWN_BY_CONVERSATIONS: ReadonlySet<Change['type']> = new Set([
  'all',
  'log',
  'rows',
  'queued',
  'users',
]);
