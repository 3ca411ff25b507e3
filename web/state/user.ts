/**
 * Composes the client of one signed-in user: one database, one engine, one outbox (O5). Its first screen is read from
 * the database alone; the engine is fetched when that is painted.
 */
import { idFrom } from '../../shared/mint.ts';
import type { User } from '../../shared/protocol/index.ts';
import { channelOf, createChanges } from '../db/changes.ts';
import type { SignedInHere } from '../db/local.ts';
import { shareReads } from '../db/shareReads.ts';
import { openUserDatabase } from '../db/userDatabase.ts';
import type { Engine } from '../engine/engine.ts';
import { createEngineLoader } from '../engine/loadEngine.ts';
import { createBackgroundSync } from '../outbox/backgroundSync.ts';
import type { Readable } from '../records/cell.ts';
import type { Change } from '../records/change.ts';
import { reasonOf } from '../records/errorReason.ts';
import { OPEN_WITHIN_MS } from '../records/pageLimits.ts';
import { reuse, reuseElements } from '../records/reuse.ts';
import type { OffsetRange } from '../records/spans.ts';
import type { BrowserEvent } from '../transport/browser.ts';
import { createConversations } from './conversations.ts';
import type { Deps } from './deps.ts';
import { createDrafts } from './drafts.ts';
import { loadLater } from './loadLater.ts';
import type { ConnectionState, ConversationState, SignedIn, UserActions } from './model.ts';
import { bodyToSend, createOutboxActions } from './outboxActions.ts';
import { createStorageState } from './storageState.ts';
import { createSummaries } from './summaries.ts';

export interface UserClient extends UserActions {
  readonly id: string;
  /** With the name that is shown. */
  user(): User;
  conversation(room: string): Readable<ConversationState>;
  /** Another room is on the screen, or none. Resolves once it is read, or after OPEN_WITHIN_MS. */
  open(room: string | undefined): Promise<void>;
  /** The database could not be written: tries again. */
  retryStorage(): void;
  /** Resolves once everything that was typed is on disk. */
  flush(): Promise<void>;
  /** Signed in again: connects with the new session. */
  signedIn(session: SignedInHere): void;
  /** The server said that somebody ended this device's session. */
  wasSignedOut(): boolean;
  /** Shows again what the database has. */
  refresh(): void;
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
  /** The server or another tab said that the user has another name. */
  renamed(user: User): void;
  /** The room on the screen: it is read, and caught up, first. */
  opened(): string | undefined;
}

/** Resolves once there is something to show. Rejects where the database cannot be opened. */
export async function openUser(deps: Deps, session: SignedInHere, outside: Outside): Promise<UserClient> {
  const { clock, random } = deps;
  const { user } = session;
  const sentElsewhere: ((room: string, isSent: (text: string) => boolean) => void)[] = [];
  const newKey = () => idFrom(deps.randomBytes(16));
  let known = session;
  let release = () => {};
  let persisted = false;
  let published: SignedIn | undefined; // its parts are used again as long as they are equal
  let closed = false;
  let blocked: string[] = [];

  const db = openUserDatabase(deps.indexedDB, clock, user.id, {
    freeSpace: async (full) => (await loadLater()).freeSpace(full),
    emptied() {
      storage.emptied();
      drafts.emptied();
      fetchAgain();
      void refresh({ type: 'all' });
    },
  });
  const changes = createChanges(deps.channel(channelOf(user.id)), (change, isOwn) => {
    if (closed) return;
    if (!isOwn && change.type === 'queued' && change.body !== undefined) {
      const isSent = (text: string) => bodyToSend(text) === change.body;
      drafts.sentElsewhere(change.rooms[0]!, isSent);
      for (const each of sentElsewhere) each(change.rooms[0]!, isSent);
    }
    if (change.type === 'draining' || change.type === 'placed') return engine.current?.received(change);
    if (change.type === 'all' || (change.type === 'users' && change.users.includes(user.id)))
      readName().catch((error) => closed || console.warn('the own name could not be read', error));
    const shown = refresh(change, isOwn);
    if (change.type === 'queued') void shown.then(sendRows); // shown first, then sent
  });
  const shared = shareReads(db);
  const summariesChanged = () => {
    engine.current?.connection.tell({ type: 'unsent-changed', hasUnsent: hasUnsent() });
    background.changed();
    publish();
  };
  const summaries = createSummaries(db, user, summariesChanged, shared, {
    clock,
    isRunning: () => engine.current?.sync.catchingUp() === true,
  });
  const storage = createStorageState({
    db,
    clock,
    changed: publish,
    takesAgain(after) {
      if (after === 'full') fetchAgain(); // a full device could not store what came meanwhile
      refreshAll();
    },
  });
  const drafts = createDrafts({
    db,
    clock,
    storage,
    newKey,
    changed: (room, text) => changes.tell({ type: 'draft', room, text }),
  });
  const conversations = createConversations({
    db,
    shared,
    me: user,
    blocked: () => blocked,
    liveSync: () => live()?.sync,
    moves: () => engine.current?.windowMoves,
    clock,
    random,
  });
  const engine = createEngineLoader(loadLater, {
    db,
    me: user.id,
    clock,
    random,
    newKey,
    locks: deps.locks,
    loadIo: deps.loadIo,
    fetch: deps.fetch,
    page: deps.page,
    storage,
    opened: outside.opened,
    shown,
    hasUnsent,
    changed: changes.tell,
    statusChanged(status) {
      if (status === 'live') {
        outside.live();
        conversations.live();
      } else if (status === 'signed-out') outside.signedOut();
      background.changed();
      publish();
    },
    progressed: publish,
  });
  const background = createBackgroundSync({
    register: deps.background?.register,
    waiting: summaries.waiting,
    status: engine.status,
  });

  /** Undefined while there is no connection. */
  function live(): Engine | undefined {
    return engine.status() === 'live' ? engine.current : undefined;
  }

  function shown(room: string): OffsetRange | undefined {
    if (outside.opened() !== room) return undefined;
    const end = Number.POSITIVE_INFINITY;
    return { from: conversations.of(room).state.get().messages[0]?.serverOffset ?? end, to: end };
  }

  function hasUnsent(): boolean {
    return summaries.waiting() > 0;
  }

  function sendRows(): void {
    engine.current?.drain.rows();
  }

  /** By a new connection, whose welcome brings all that is not stored. */
  function fetchAgain(): void {
    engine.current?.connection.tell({ type: 'unusable' });
  }

  async function refresh(change: Change, isOwn = true): Promise<void> {
    await Promise.all([summaries.refresh(change, isOwn), conversations.refresh(change)]);
    await applyBlocks();
  }

  /** Texts of who was blocked just now, or is not any more, are in any room. */
  async function applyBlocks(): Promise<void> {
    const now = summaries.blocked();
    if (now.join() === blocked.join()) return;
    blocked = now;
    await conversations.refresh({ type: 'all' });
  }

  /** After changes of the database that may have been announced to nobody. */
  function refreshAll(): void {
    void refresh({ type: 'all' }).then(sendRows);
  }

  /** The name of the user may have changed. */
  async function readName(): Promise<void> {
    const now = await db.read(['users'], (tx) => tx.objectStore('users').get(user.id));
    if (!now || now.name === known.user.name) return;
    known = { ...known, user: now };
    publish();
    outside.renamed(now);
  }

  function publish(): void {
    if (closed) return;
    const { sync, typing, presence } = engine.current ?? {};
    const rooms = summaries.list().map((room) => {
      const error = sync?.failing().get(room.id);
      const names = typing?.namesIn(room.id) ?? [];
      const people = presence?.of(room.id);
      if (!error && !people && names.length === 0) return room;
      return {
        ...room,
        ...(names.length > 0 && { typing: names }),
        ...(people && { presence: people }),
        ...(error && { failing: reasonOf(error) }),
      };
    });
    published = {
      tag: 'signed-in',
      user: known.user,
      hasPassword: known.hasPassword,
      hasRecoveryCode: known.hasRecoveryCode,
      role: known.role,
      lastDevice: known.devices === undefined ? undefined : known.devices === 1,
      connection: reuse(published?.connection, connection()),
      waiting: summaries.waiting(),
      rooms: reuseElements(published?.rooms ?? [], rooms, ({ id }) => id),
      startsOffline: deps.startsOffline,
      storage: storage.get(),
    };
    outside.show(published);
  }

  function connection(): ConnectionState {
    const status = engine.status();
    if (status === 'signed-out' && engine.current?.connection.wasSignedOut())
      return { tag: status, ended: true };
    const percent =
      status === 'live' || status === 'connecting' ? engine.current?.migration.percent() : undefined;
    if (percent !== undefined) return { tag: 'moving', percent };
    return { tag: status === 'live' && engine.current?.sync.catchingUp() ? 'catching-up' : status };
  }

  function pageSays(type: BrowserEvent): void {
    if (type === 'freeze') db.suspend();
    else if (type !== 'hidden' && type !== 'pagehide') db.resume();
    if (type === 'hidden' || type === 'freeze' || type === 'pagehide') {
      void drafts.flush();
      background.hidden();
    }
    engine.current?.connection.tell({ type });
  }

  /** The conversation together with the list of rooms, so that they are painted together. */
  async function readFirstScreen(): Promise<void> {
    await db.read(['meta'], (tx) => tx.objectStore('meta').count()); // rejects, which the reads below do not
    await Promise.all([openRoom(outside.opened()), summaries.open()]);
    await applyBlocks();
  }

  /** The conversation of the open room is kept read: a view subscribes to it later. The one before is kept until then. */
  async function openRoom(room: string | undefined): Promise<void> {
    const releaseBefore = release;
    const conversation = room === undefined ? undefined : conversations.of(room);
    release = conversation?.state.subscribe(() => {}) ?? (() => {});
    if (conversation?.state.get().loading) await conversation.refresh();
    releaseBefore();
  }

  function openWithin(room: string | undefined): Promise<void> {
    const late = new Promise<void>((resolve) => void clock.setTimeout(resolve, OPEN_WITHIN_MS));
    return Promise.race([openRoom(room), late]);
  }

  function close(): void {
    closed = true;
    stopListening();
    drafts.close();
    storage.close();
    engine.close();
    changes.close();
    db.close();
  }

  const ask: UserActions['ask'] = async (what, ...asked) => {
    await loading; // also without a network the engine answers from the database
    // TypeScript does not know that these are the arguments of this one
    const act = engine.current?.actions[what] as ((...all: unknown[]) => Promise<never>) | undefined;
    return act ? act(...asked) : { ok: false, reason: { code: 'offline' } };
  };

  const stopListening = deps.page.listen(pageSays);
  try {
    await readFirstScreen();
  } catch (error) {
    close();
    throw error;
  }
  const loading = deps.painted().then(engine.load).then(conversations.loaded);

  return {
    id: user.id,
    user: () => known.user,
    conversation: (room) => conversations.of(room).state,
    open(room) {
      const marked = published?.rooms.find(({ id }) => id === room)?.wishes.unread;
      if (marked) void ask('choose', room!, { unread: false });
      engine.current?.roomReaders.look(room);
      engine.current?.presence.look(room);
      return openWithin(room);
    },
    ...conversations.actions,
    ...createOutboxActions({
      db,
      me: user.id,
      drafts,
      storage,
      newKey,
      now: () => clock.now() + (engine.current?.sync.offsetOfClock() ?? 0),
      targetOf: conversations.offsetOf,
      async show(room) {
        changes.tell({ type: 'queued', rooms: [room] });
        await conversations.of(room).refresh();
      },
      showNew(item) {
        engine.current?.typing.sent(item.room);
        const message = conversations.of(item.room).optimistic(item);
        return {
          saving: message.saving,
          stored() {
            const painted = deps.painted(); // refreshing every subscriber now would delay this animation frame
            void painted.then(
              () => closed || changes.tell({ type: 'queued', rooms: [item.room], body: item.body ?? '' }),
            );
            return message.stored(painted);
          },
          failed: message.failed,
        };
      },
      persist() {
        if (!persisted) deps.persist();
        persisted = true;
      },
    }),
    ask,
    seen: (room, upTo) =>
      engine.current?.readMarkers.seen(room, upTo, conversations.of(room).state.get().logGeneration),
    typed(room, text) {
      const members = published?.rooms.find(({ id }) => id === room)?.members;
      engine.current?.typing.typed(room, text, members ?? 0);
    },
    draft: (room) => drafts.draft(room).catch(() => ''),
    saveDraft: drafts.save,
    onSentElsewhere: (listener) => void sentElsewhere.push(listener),
    flush: drafts.flush,
    retryStorage() {
      storage.seen();
      refreshAll();
    },
    signedIn(session) {
      known = session;
      engine.current?.connection.tell({ type: 'signed-in' });
      publish();
    },
    wasSignedOut: () => engine.current?.connection.wasSignedOut() === true,
    refresh: () => void refresh({ type: 'all' }),
    know(session) {
      known = session;
      publish();
    },
    close,
  };
}
