/** The client: who is signed in on this browser, and everything that runs for them. */

import { idFrom } from '../../shared/mint.ts';
import type { User } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Timer } from '../db/clock.ts';
import { storageReason } from '../db/failure.ts';
import { openLocalDatabase, type SignedInHere } from '../db/local.ts';
import { createCell } from '../records/cell.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import { backoff } from '../transport/backoff.ts';
import type { BrowserEvent } from '../transport/browser.ts';
import { createHttp } from '../transport/http.ts';
import { createAccount, isAnswer, type Whom } from './account.ts';
import { EMPTY } from './conversation.ts';
import type { Deps } from './deps.ts';
import type { AppState, Client, Outcome } from './model.ts';
import type { Refused } from './refusedSession.ts';
import { openUser, type UserClient } from './user.ts';

/** Starts at once. `close` ends everything it runs; what is stored stays. */
export function createClient(deps: Deps): Client & { close(): void } {
  const app = createCell<AppState>({ tag: 'starting' });
  const nobodys = createCell(EMPTY);
  const newId = () => idFrom(deps.randomBytes(16));
  const local = openLocalDatabase(deps.indexedDB, deps.clock);
  const http = createHttp(deps.fetch, deps.clock, () => import('../transport/bodies.ts'));
  const account = createAccount(http, local, newId);
  const refused: Refused = {
    http,
    local,
    newId,
    clock: deps.clock,
    pauseMs: (failures) => backoff(failures, deps.random),
    isAnswer,
    isIn: (user) => user === current,
    renewed: undefined,
    unknown: undefined,
    run: ask,
  };
  const channel = deps.channel('holdfast');
  let current: UserClient | undefined;
  /** The room that is looked at, before there is a user even. */
  let looking: string | undefined;
  /** Of `current`, as it was entered. */
  let entered: SignedInHere | undefined;
  let again: Timer | undefined;
  let closed = false;
  /** Coming and going one after the other: a tab may be told to while it is still at it. */
  const next = createSerial();

  async function start(): Promise<void> {
    const session = await local.session();
    if (session) return enter(session);
    const hello = deps.clock.setTimeout(() => showIfStarting({ tag: 'hello' }), SESSION_WAIT_MS);
    const found = await account.session(); // the storage was thrown away, the cookie was not
    deps.clock.clearTimeout(hello);
    if (found && !(await local.session())) {
      await local.signIn(here(found));
      channel.postMessage('session'); // where nobody is in, one waits for that
    }
    if (found) return enter(here(found));
    showIfStarting({ tag: 'hello' });
  }

  async function enter(session: SignedInHere): Promise<void> {
    if (closed) return;
    if (current?.id === session.user.id) {
      refused.unknown = undefined;
      current.signedIn(session);
      return;
    }
    if (current) {
      if (session.heirOf === current.id) await current.flush();
      leave();
      app.set({ tag: 'starting' }); // nothing of the one before stays on the screen (O5)
    }
    if (session.heirOf !== undefined) await takeAlong(session.heirOf, session);
    let mine: UserClient | undefined;
    const opened = openUser(deps, session, {
      show(state) {
        if (!mine || current !== mine) return;
        const isUnknown = refused.unknown === mine && state.connection.tag === 'signed-out';
        app.set(isUnknown ? { ...state, connection: { tag: 'unknown' } } : state);
      },
      // The server may have answered before the database has.
      live: () => whenOpened(learn),
      signedOut: () => whenOpened(askWhy),
      renamed: (user) => ask(() => next(() => keepName(user))),
      looking: () => looking,
    });
    const whenOpened = (work: (user: UserClient) => Promise<void>) => ask(() => opened.then(work));
    mine = await opened;
    if (closed) {
      mine.close();
      return;
    }
    current = mine;
    entered = session;
    mine.know(session);
  }

  /** A claim that was made under the old name has done its work. */
  async function keepName(user: User): Promise<void> {
    const session = await local.session();
    if (session?.user.id !== user.id) return;
    await local.dropOldClaim(session.user.name);
    await local.signIn({ ...session, user });
    if (entered?.user.id === user.id) entered = { ...entered, user };
  }

  function leave(): void {
    current?.close();
    current = undefined;
    entered = undefined;
  }

  /** What the server knows of the session that the app shows: whether there is a password, whether this is the last device. */
  async function learn(of: UserClient): Promise<void> {
    const found = await account.session();
    if (!found || current !== of || found.user.id !== of.id) return;
    of.know(here(found));
    await next(async () => {
      if (current !== of) return;
      await local.signIn(here(found));
      await account.proven(found.user);
    }).catch((error) => console.warn('the session was not kept', error));
  }

  /** Before the heir is shown, so that nothing is sent twice or out of order. Asked once more, until nothing is left. */
  async function takeAlong(of: string, session: SignedInHere): Promise<void> {
    const { inherit } = await import('./inherit.ts'); // hardly anybody ever needs it
    const some = await inherit(deps.indexedDB, deps.clock, { of, heir: session.user.id });
    if (!some) await local.inherited(session);
  }

  async function askWhy(of: UserClient): Promise<void> {
    if (current !== of) return;
    const loaded = await import('./refusedSession.ts').catch(() => undefined);
    if (loaded) return loaded.askWhy(of, refused);
    deps.clock.setTimeout(() => ask(() => askWhy(of)), RETRY_MAX_MS);
  }

  function ask(work: () => Promise<void>): void {
    work().catch((error) => console.warn('the session could not be asked about', error));
  }

  /** Another tab signed in or out. */
  async function follow(): Promise<void> {
    const session = await local.session();
    if (session) return enter(session);
    if (current) goOut();
  }

  /** A tab that slept may have missed that another user came (O5). */
  async function lookAgain(): Promise<void> {
    const session = await local.session();
    if (session?.user.id === current?.id) return;
    if (session) return enter(session);
    if (await local.isSignedOut()) goOut();
    else if (entered) await local.signIn(entered); // the browser threw it away: nobody signed out
  }

  function goOut(): void {
    leave();
    app.set({ tag: 'hello' });
  }

  function begin(): void {
    stopWaiting();
    run(start);
  }

  /** Something that may change who is shown. What cannot be opened is said, and tried again by itself. */
  function run(work: () => Promise<void>): void {
    next(work).catch(cannotOpen);
  }

  function cannotOpen(error: unknown): Outcome {
    const reason = storageReason(error);
    if (!closed && !current) {
      app.set({ tag: 'storage', reason });
      stopWaiting();
      again = deps.clock.setTimeout(begin, RETRY_MAX_MS);
    }
    return { ok: false, reason };
  }

  function stopWaiting(): void {
    if (again !== undefined) deps.clock.clearTimeout(again);
    again = undefined;
  }

  function pageSays(event: BrowserEvent): void {
    if (!LOOKED_AT.has(event)) return;
    if (app.get().tag === 'storage') begin();
    else run(lookAgain);
  }

  function showIfStarting(state: AppState): void {
    const { tag } = app.get();
    if (!closed && (tag === 'starting' || tag === 'storage')) app.set(state);
  }

  function whom(): Whom {
    if (!entered) return { tag: 'anybody' };
    return refused.unknown === current
      ? { tag: 'heir', of: entered.user }
      : { tag: 'again', user: entered.user };
  }

  function withUser<T>(work: (user: UserClient) => Promise<T>): Promise<T | Outcome> {
    return current ? work(current) : Promise.resolve(NOBODY);
  }

  const stopListening = deps.missing ? () => {} : deps.page.listen(pageSays);
  if (deps.missing) app.set({ tag: 'unsupported', missing: deps.missing });
  else {
    channel.onmessage = () => run(follow);
    begin();
  }

  return {
    app,
    conversation: (room) => current?.conversation(room).state ?? nobodys,

    async signIn(name, password) {
      const from = current;
      const signed = await account.signIn(name, password, whom());
      if (!signed.ok) {
        const { code } = signed.reason;
        if (from && AS_IF_PUT_BACK.has(code)) await askWhy(from);
        return signed;
      }
      try {
        await next(() => enter(here(signed.session)));
      } catch (error) {
        return cannotOpen(error);
      }
      channel.postMessage('session');
      return { ok: true };
    },
    async signOut() {
      try {
        await current?.flush();
        const outcome = await account.signOut(entered?.user);
        if (!outcome.ok) return outcome;
        await next(async () => {
          await local.signOut();
          goOut();
        });
      } catch (error) {
        return { ok: false, reason: storageReason(error) };
      }
      channel.postMessage('session');
      return { ok: true };
    },
    async setPassword(password, before) {
      const outcome = await account.setPassword(password, before);
      if (outcome.ok && current) void learn(current);
      return outcome;
    },

    open(room) {
      looking = room;
      current?.open();
    },
    loadOlder: (room) => current?.loadOlder(room),
    loadNewer: (room) => current?.loadNewer(room),
    loadBetween: (room, gap, edge) => current?.loadBetween(room, gap, edge),
    jumpTo: async (room, offset) => (await current?.jumpTo(room, offset)) ?? false,
    toNewest: (room) => current?.toNewest(room),
    send: (room, body) => withUser((user) => user.send(room, body)),
    retry: (clientOffset) => withUser((user) => user.retry(clientOffset)),
    amend: (clientOffset, body) => withUser((user) => user.amend(clientOffset, body)),
    discard: (clientOffset) => withUser((user) => user.discard(clientOffset)),
    edit: (room, clientOffset, body, serverOffset) =>
      withUser((user) => user.edit(room, clientOffset, body, serverOffset)),
    remove: (room, clientOffset) => withUser((user) => user.remove(room, clientOffset)),
    seen: (room, upTo) => current?.seen(room, upTo),
    draft: async (room) => (await current?.draft(room).catch(() => '')) ?? '',
    saveDraft: (room, text) => current?.saveDraft(room, text),
    retryStorage() {
      if (current) return current.retryStorage();
      if (app.get().tag !== 'storage') return;
      app.set({ tag: 'starting' });
      begin();
    },
    createRoom: (name) => withUser((user) => user.createRoom(name)),
    joinRoom: (room) => withUser((user) => user.joinRoom(room)),
    leaveRoom: (room) => withUser((user) => user.leaveRoom(room)),
    listPublic: () => withUser((user) => user.listPublic()),

    close() {
      closed = true;
      stopListening();
      stopWaiting();
      leave();
      local.close();
      channel.close();
    },
  };
}

/** How long the first screen waits to hear that somebody is signed in after all. */
const SESSION_WAIT_MS = 2_000;

/** The one whose page this is may be known no more, or again. */
const AS_IF_PUT_BACK: ReadonlySet<string> = new Set(['not-found', 'conflict']);

/** When a tab may have slept. */
const LOOKED_AT: ReadonlySet<BrowserEvent> = new Set(['visible', 'pageshow', 'resume']);

const NOBODY: Outcome = { ok: false, reason: { code: 'unauthorized' } };

function here({ user, hasPassword, devices, heirOf }: SignedInHere): SignedInHere {
  return {
    user,
    ...(heirOf === undefined ? {} : { heirOf }),
    ...(hasPassword === undefined ? {} : { hasPassword }),
    ...(devices === undefined ? {} : { devices }),
  };
}
