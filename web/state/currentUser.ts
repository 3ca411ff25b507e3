/**
 * Which user the app shows: opens and closes that user's client as somebody signs in or out, here or in another tab.
 * Nothing of one user stays on the screen when another one comes (O5). A database that cannot be opened is reported and
 * tried again.
 */

import { idFrom } from '../../shared/mint.ts';
import type { User } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Timer } from '../db/clock.ts';
import { storageReason } from '../db/failure.ts';
import { openLocalDatabase, type SignedInHere } from '../db/local.ts';
import { createCell } from '../records/cell.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import { reuseFields } from '../records/reuse.ts';
import { backoff } from '../transport/backoff.ts';
import type { BrowserEvent } from '../transport/browser.ts';
import { createSessionCalls } from '../transport/sessionCalls.ts';
import type { Whom } from './account.ts';
import type { Deps } from './deps.ts';
import { loadLater } from './loadLater.ts';
import type { AppState, Client, Outcome } from './model.ts';
import type { SessionCheck } from './refusedSession.ts';
import { openUser, type UserClient } from './user.ts';

export interface CurrentUser
  extends Pick<Client, 'app' | 'signIn' | 'signInByCode' | 'signOut' | 'setPassword'> {
  /** Undefined while nobody is signed in, or the database of the user is not open yet. */
  readonly client: UserClient | undefined;
  /** Tries again to open a database that could not be opened. */
  reopen(): void;
  close(): void;
}

/**
 * Starts at once with the user of the stored session. `opened`: the room on the screen, also before there is a user.
 */
export function createCurrentUser(deps: Deps, opened: () => string | undefined): CurrentUser {
  const { clock } = deps;
  const app = createCell<AppState>({ tag: 'starting' });
  const newId = () => idFrom(deps.randomBytes(16));
  const local = openLocalDatabase(deps.indexedDB, clock);
  const http = createSessionCalls(deps.fetch, clock, loadLater);
  const check: SessionCheck = {
    http,
    local,
    newId,
    clock,
    indexedDB: deps.indexedDB,
    pauseMs: (failures) => backoff(failures, deps.random),
    isCurrent: (user) => user === client,
    renewed: undefined,
    unknown: undefined,
    run: inBackground,
  };
  const channel = deps.channel('holdfast');
  let client: UserClient | undefined;
  /** Of `client`. */
  let session: SignedInHere | undefined;
  let retry: Timer | undefined;
  /** The next request for what the server knows of the session. */
  let refreshing: Timer | undefined;
  let closed = false;
  /** Sign-ins and sign-outs run one after the other: another tab may cause one while this tab is still at its own. */
  const inOrder = createSerial();

  async function start(): Promise<void> {
    const stored = await local.session();
    if (stored) return enter(stored);
    const timer = clock.setTimeout(() => showIfStarting({ tag: 'signed-out' }), SESSION_WAIT_MS);
    const found = await http.session(); // the browser may have dropped the storage, but not the cookie
    if (!found && deps.pass && (await enterByPass(deps.pass)).ok) return clock.clearTimeout(timer);
    clock.clearTimeout(timer);
    if (found && !(await local.session())) {
      await local.signIn(sessionOf(found));
      channel.postMessage('session'); // tabs that show the sign-in wait for it
    }
    if (found) return enter(sessionOf(found));
    showIfStarting({ tag: 'signed-out' });
    deps
      .painted()
      .then(loadLater)
      .catch(() => {}); // whoever signs up needs it next
  }

  async function enterByPass(pass: string): Promise<Outcome> {
    const later = await loaded();
    if (!later) return UNREACHABLE;
    const signed = await later.signInByPass(deps, local, newId, pass);
    if (signed.ok) {
      await enter(signed.session);
      channel.postMessage('session');
    }
    return signed;
  }

  async function enter(next: SignedInHere): Promise<void> {
    if (closed) return;
    if (client?.id === next.user.id) {
      check.unknown = undefined;
      client.signedIn(next);
      return;
    }
    if (client) {
      if (next.heirOf === client.id) await client.flush();
      closeClient();
      app.set({ tag: 'starting' });
    }
    if (next.heirOf !== undefined) await inheritOutbox(next.heirOf, next);
    let mine: UserClient | undefined;
    const opening = openUser(deps, next, {
      show(state) {
        if (!mine || client !== mine) return;
        const isUnknown = check.unknown === mine && state.connection.tag === 'signed-out';
        app.set(reuseFields(app.get(), isUnknown ? { ...state, connection: USER_UNKNOWN } : state));
      },
      // The server may answer before the database does.
      live: () => whenOpened((user) => refreshSession(user)),
      signedOut: () => whenOpened(checkRefused),
      renamed: (user) => inBackground(() => inOrder(() => storeName(user))),
      opened,
    });
    const whenOpened = (work: (user: UserClient) => Promise<void>) => inBackground(() => opening.then(work));
    mine = await opening;
    if (closed) {
      mine.close();
      return;
    }
    client = mine;
    session = next;
    mine.know(next);
  }

  /**
   * Before the heir is shown, so that nothing is sent twice or out of order. Repeated at each start until nothing is
   * left.
   */
  async function inheritOutbox(of: string, heir: SignedInHere): Promise<void> {
    const { inherit } = await loadLater();
    const some = await inherit(deps.indexedDB, clock, { of, heir: heir.user.id });
    if (!some) await local.inherited(heir);
  }

  /** Of users who signed out, also where the app was closed meanwhile. */
  async function deleteLeftLogs(): Promise<void> {
    if ((await local.leftLogs()).length > 0)
      await (await loadLater()).deleteLeftLogs(deps.indexedDB, clock, local);
  }

  function closeClient(): void {
    client?.close();
    client = undefined;
    session = undefined;
  }

  function showSignIn(): void {
    closeClient();
    app.set({ tag: 'signed-out' });
  }

  function showIfStarting(state: AppState): void {
    const { tag } = app.get();
    if (!closed && (tag === 'starting' || tag === 'storage')) app.set(state);
  }

  /** A claim that was made under the old name is not needed any more. */
  async function storeName(user: User): Promise<void> {
    const stored = await local.session();
    if (stored?.user.id !== user.id) return;
    await local.dropOldClaim(stored.user.name);
    await local.signIn({ ...stored, user });
    if (session?.user.id === user.id) session = { ...session, user };
  }

  /**
   * What the server knows of this session: the role, whether there is a password, whether this is the last device. Asked again
   * some times where there is no answer although there is a connection.
   */
  async function refreshSession(of: UserClient, failures = 0): Promise<void> {
    stopRefreshing();
    const asked = of.user();
    const found = await http.session();
    if (client !== of) return;
    if (!found) {
      const state = app.get();
      if (failures < SESSION_TRIES && state.tag === 'signed-in' && CONNECTED.has(state.connection.tag)) {
        stopRefreshing();
        const again = () => inBackground(() => refreshSession(of, failures + 1));
        refreshing = clock.setTimeout(again, check.pauseMs(failures));
      }
      return;
    }
    if (found.user.id !== of.id) return;
    const now = of.user();
    const user = now.name === asked.name ? found.user : now; // a name that came meanwhile is newer than the answer
    const known = sessionOf({ ...found, user });
    of.know(known);
    await inOrder(async () => {
      if (client !== of) return;
      await local.signIn(known);
      await local.dropOldClaim(found.user.name);
    }).catch((error) => console.warn('the session could not be stored', error));
  }

  /** One request at a time, however often the connection comes and goes. */
  function stopRefreshing(): void {
    if (refreshing !== undefined) clock.clearTimeout(refreshing);
  }

  async function checkRefused(of: UserClient): Promise<void> {
    if (client !== of) return;
    const later = await loaded();
    if (later) return later.checkRefusedSession(of, check);
    clock.setTimeout(() => inBackground(() => checkRefused(of)), RETRY_MAX_MS);
  }

  /** Another tab signed in or out. */
  async function followOtherTab(): Promise<void> {
    const stored = await local.session();
    if (stored) return enter(stored);
    if (client) showSignIn();
  }

  /** A tab that was suspended may have missed that another user signed in (O5). */
  async function compareWithStored(): Promise<void> {
    const stored = await local.session();
    if (stored?.user.id === client?.id) return;
    if (stored) return enter(stored);
    if (await local.isSignedOut()) showSignIn();
    else if (session) await local.signIn(session); // the browser dropped the storage: nobody signed out
  }

  function begin(): void {
    stopRetry();
    run(start);
  }

  /** For work that may change which user is shown. */
  function run(work: () => Promise<void>): void {
    inOrder(work).catch(cannotOpen);
  }

  function cannotOpen(error: unknown) {
    const reason = storageReason(error);
    if (!closed && !client) {
      app.set({ tag: 'storage', reason });
      stopRetry();
      retry = clock.setTimeout(begin, RETRY_MAX_MS);
    }
    return { ok: false, reason } as const;
  }

  function stopRetry(): void {
    if (retry !== undefined) clock.clearTimeout(retry);
    retry = undefined;
  }

  function inBackground(work: () => Promise<void>): void {
    work().catch((error) => closed || console.warn('the session could not be checked', error));
  }

  function pageSays(event: BrowserEvent): void {
    if (!AFTER_SUSPENSION.has(event)) return;
    if (app.get().tag === 'storage') begin();
    else run(compareWithStored);
  }

  function whom(): Whom {
    if (!session) return { tag: 'anybody' };
    return check.unknown === client
      ? { tag: 'heir', of: session.user }
      : { tag: 'again', user: session.user };
  }

  const stopListening = deps.missing ? () => {} : deps.page.listen(pageSays);
  if (deps.missing) app.set({ tag: 'unsupported', missing: deps.missing });
  else {
    channel.onmessage = () => run(followOtherTab);
    begin();
    inBackground(() => inOrder(deps.painted).then(deleteLeftLogs));
  }

  return {
    app,
    get client() {
      return client;
    },

    async signIn(name, password, recovery, invite) {
      const from = client;
      const later = await loaded();
      if (!later) return UNREACHABLE;
      const proof = { password, recovery, invite };
      const signed = await later.signInAs({ http, local, newId }, name, proof, whom());
      if (!signed.ok) {
        const { code } = signed.reason;
        if (from && MAY_BE_PUT_BACK.has(code)) await checkRefused(from);
        return signed;
      }
      try {
        await inOrder(() => enter(sessionOf(signed.session)));
      } catch (error) {
        return cannotOpen(error);
      }
      channel.postMessage('session');
      return { ok: true };
    },

    signInByCode: (code) => inOrder(() => enterByPass(code)).catch(cannotOpen),

    async signOut(unsent) {
      const left = session?.user;
      try {
        await client?.flush();
        const later = await loaded();
        if (!later) return UNREACHABLE;
        const outcome = await later.endSession({ http, local }, left);
        if (!outcome.ok) return outcome;
        await inOrder(async () => {
          if (left && unsent === 'deleted') await later.deleteUnsent(deps.indexedDB, clock, left.id);
          await local.signOut();
          showSignIn();
        });
        inBackground(deleteLeftLogs);
      } catch (error) {
        return { ok: false, reason: storageReason(error) };
      }
      channel.postMessage('session');
      return { ok: true };
    },

    async setPassword(password, before) {
      const later = await loaded();
      if (!later) return UNREACHABLE;
      const outcome = await later.setPassword(http, password, before);
      if (outcome.ok && client) void refreshSession(client);
      return outcome;
    },

    reopen() {
      if (app.get().tag !== 'storage') return;
      app.set({ tag: 'starting' });
      begin();
    },

    close() {
      closed = true;
      stopListening();
      stopRetry();
      stopRefreshing();
      closeClient();
      local.close();
      channel.close();
    },
  };
}

/** Undefined where the chunk cannot be fetched. */
const loaded = () => loadLater().catch(() => undefined);

const UNREACHABLE = { ok: false, reason: { code: 'unreachable' } } as const;

/** How long the first screen waits for the server to say that a user is signed in after all. */
const SESSION_WAIT_MS = 2_000;

/** Codes after which the user of this page may be unknown to the server, or known again. */
const MAY_BE_PUT_BACK: ReadonlySet<string> = new Set(['not-found', 'conflict']);

/** Some two minutes. The next connection asks again. */
const SESSION_TRIES = 8;

const CONNECTED: ReadonlySet<string> = new Set(['live', 'catching-up']);

const USER_UNKNOWN = { tag: 'user-unknown' } as const;

const AFTER_SUSPENSION: ReadonlySet<BrowserEvent> = new Set(['visible', 'pageshow', 'resume']);

/** Without what is undefined, and without what else an answer of the server holds. */
function sessionOf({
  user,
  hasPassword,
  hasRecoveryCode,
  role,
  devices,
  heirOf,
}: SignedInHere): SignedInHere {
  const known = { hasPassword, hasRecoveryCode, role, devices, heirOf };
  return { user, ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) };
}
