/** Everything that runs for the one user who is signed in: one database, one connection, one outbox (O5). */

import { idFrom } from '../../shared/mint.ts';
import type { User, WireError } from '../../shared/protocol/index.ts';
import { type Change, channelOf, concerns, createChanges } from '../db/changes.ts';
import type { SignedInHere } from '../db/local.ts';
import { openUserDatabase } from '../db/schema.ts';
import type { Engine } from '../engine/engine.ts';
import { createEngineLoader } from '../engine/loadEngine.ts';
import { reasonOf } from '../outbox/row.ts';
import { DRAIN_STUCK_MS } from '../records/pageLimits.ts';
import type { BrowserEvent } from '../transport/browser.ts';
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
      engine.current?.connection.tell({ type: 'unusable' }); // everything is fetched anew
      void refresh({ type: 'all' });
    },
  });
  const newKey = () => idFrom(deps.randomBytes(16));
  const conversations = new Map<string, QueueingConversation>();
  let known = session;
  let letGo = () => {};
  let persisted = false;
  let closed = false;

  const changes = createChanges(deps.channel(channelOf(user.id)), (change) => {
    if (closed) return;
    if (change.type === 'draining' || change.type === 'placed') {
      engine.current?.heard(change);
      return;
    }
    if (change.type === 'all' || (change.type === 'users' && change.users.includes(user.id)))
      learnName().catch((error) => closed || console.warn('the own name could not be read', error));
    const shown = refresh(change);
    if (change.type === 'queued') void shown.then(() => engine.current?.drain.rows()); // shown first, then tried
  });
  const summaries = createSummaries(db, user, () => {
    engine.current?.connection.tell({ type: 'waiting', waiting: isWaiting() });
    background.changed();
    publish();
  });
  const storage = createStorageState({
    db,
    clock,
    changed: publish,
    takesAgain(after) {
      if (after === 'full') engine.current?.connection.tell({ type: 'unusable' }); // what was not stored meanwhile comes with the next welcome
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
  const engine = createEngineLoader({
    db,
    me: user.id,
    clock,
    random,
    newKey,
    locks: deps.locks,
    loadIo: deps.loadIo,
    page: deps.page,
    storage,
    opened: outside.looking,
    isWaiting,
    changed: (change) => changes.tell(change),
    read: (frame) => reads.heard(frame),
    statusChanged(status) {
      if (status === 'live') {
        outside.live();
        for (const conversation of conversations.values()) conversation.live();
      } else if (status === 'signed-out') outside.signedOut();
      background.changed();
      publish();
    },
    welcomed: () => reads.live(),
    progressed: publish,
  });
  const background = createBackground({
    register: deps.background?.register,
    waiting: summaries.waiting,
    status: engine.status,
  });
  const reads = createReads({
    db,
    liveConnection: () => live()?.connection,
    clock,
    me: user.id,
    changed: (rooms) => changes.tell({ type: 'marks', rooms }),
  });
  function isWaiting(): boolean {
    return summaries.waiting() > 0;
  }

  /** Undefined while there is no connection. */
  function live(): Engine | undefined {
    return engine.status() === 'live' ? engine.current : undefined;
  }

  /** What the database has by now may be more than anybody was told. */
  function lookAgain(): void {
    void refresh({ type: 'all' }).then(() => engine.current?.drain.rows());
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
      rooms: summaries.list().map((room) => withFailure(room, engine.current?.sync.failing().get(room.id))),
      startsOffline: deps.startsOffline,
      storage: storage.get(),
    });
  }

  function connection(): ConnectionState {
    const status = engine.status();
    const percent =
      status === 'live' || status === 'connecting' ? engine.current?.migration.percent() : undefined;
    if (percent !== undefined) return { tag: 'moving', percent };
    return { tag: status === 'live' && engine.current?.sync.catchingUp() ? 'catching-up' : status };
  }

  function conversation(room: string): QueueingConversation {
    const there = conversations.get(room);
    if (there) return there;
    const liveSync = () => live()?.sync;
    const made = withJustQueued(createConversation({ db, me: user, room, liveSync, clock, random }), user);
    conversations.set(room, made);
    return made;
  }

  function close(): void {
    closed = true;
    stopListening();
    drafts.close();
    storage.close();
    reads.close();
    engine.close();
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
    engine.current?.connection.tell({ type });
  }

  /** The conversation is there when the rooms are, so that all is painted at once. It is held until a view holds it. */
  async function lookFirst(): Promise<void> {
    const room = outside.looking();
    if (room) letGo = conversation(room).state.subscribe(() => {});
    await Promise.all([room && conversation(room).refresh(), summaries.open()]);
  }

  const stopListening = deps.page.listen(pageSays);
  const firstLook = lookFirst();
  firstLook.then(deps.painted).then(engine.load, () => {});
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
      now: () => clock.now() + (engine.current?.sync.offsetOfClock() ?? 0),
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
    ...createRoomActions(engine, newKey),
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
      engine.current?.connection.tell({ type: 'signed-in' });
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
