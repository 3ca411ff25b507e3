/**
 * The namespace `/admin`, for the page of @socket.io/admin-ui: a password, what all processes report, and one command, by
 * which an operator makes a client connect again. It shares connections with the chat's namespace, and nothing else.
 *
 * The process that an operator is connected to asks the others every few seconds (`serverSideEmit` with acknowledgements), so
 * that nothing is written to the database while nobody looks. `fetchSockets` would bring the whole `data` of each socket,
 * with names, and for a few thousand of them more than the collection between the processes holds.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace, Socket } from 'socket.io';
import type { Audit, OnLimit } from '../base/audit.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import {
  OPERATOR_ASKS_EVERY_MS,
  OPERATOR_COMMANDS,
  OPERATOR_LOOK_MS,
  OPERATOR_SESSIONS_SHARED_TIMES,
  OPERATORS_MAX,
  OTHERS_HEARD_AFTER_MS,
  UNSENT_OF_OPERATOR_BYTES,
} from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createLimiter } from '../limits/limiter.ts';
import { endConnection, type LiveServer, type LiveSocket } from '../realtime/socketRecipient.ts';
import { dropConnection, unsentBytes } from '../realtime/unsent.ts';
import type { RequestContext } from '../request/requestContext.ts';
import {
  type AdminFrame,
  allSocketsFrame,
  changeFrames,
  configFrame,
  type SeenSocket,
  seenIn,
  statsFrame,
} from './adminFrames.ts';
import { createOperatorGuard, type OperatorSession } from './operatorGuard.ts';
import { isPassword } from './passwordCheck.ts';
import { createProcessReport, type ProcessReport, type Totals } from './processReport.ts';

export interface Operators {
  /** Tells the other processes of its sessions, several times. Called again it waits for the same. Never rejects. */
  shareSessions(): Promise<void>;
  /** Ends the connections of operators. */
  disconnect(): void;
  /** Waits for what `shareSessions` says. */
  close(): Promise<void>;
}

interface Deps {
  io: LiveServer;
  /** `mayChange`: operators may make clients connect again. */
  settings: { passwordHash: string; mayChange: boolean };
  hasOtherProcesses: boolean;
  contextOf: (request: IncomingMessage) => RequestContext;
  /** The client of this connection is known: it is no stranger any more. */
  onAuthenticated: (connection: LiveSocket['conn']) => void;
  onLimit: OnLimit;
  metrics: Pick<Metrics, 'frames' | 'connectionRefusals' | 'evictedClients'>;
  audit: Audit;
  logger: Pick<Logger, 'warn'>;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
}

/** What the processes say to each other. Each may be lost. */
interface ProcessEvents {
  look: (acknowledge: (report: ProcessReport) => void) => void;
  session: (session: OperatorSession) => void;
  sessions: (sessions: OperatorSession[]) => void;
  ask: (hash: string, acknowledge: (session: OperatorSession | null) => void) => void;
  endSocket: (id: string) => void;
}

interface OperatorData {
  address: string;
  session: OperatorSession;
  /** To be told to the page once. */
  secret: string | undefined;
}

type Events = Record<string, (...args: never[]) => void>;
type AdminNamespace = Namespace<Events, Events, ProcessEvents, OperatorData>;
type OperatorSocket = Socket<Events, Events, ProcessEvents, OperatorData>;

export const ADMIN = '/admin';

export function createOperators({
  io,
  settings,
  hasOtherProcesses,
  contextOf,
  onAuthenticated,
  onLimit,
  metrics,
  audit,
  logger,
  now,
  ticks,
}: Deps): Operators {
  const namespace = io.of(ADMIN) as unknown as AdminNamespace;
  const report = createProcessReport(io, ['/', ADMIN]);
  const addresses = new WeakMap<object, string>();
  /** Connections with a handshake under way: a second one is refused. */
  const entering = new WeakSet<object>();
  const commands = createLimiter({ ...OPERATOR_COMMANDS, now: ticks });
  const guard = createOperatorGuard({
    passwordHash: settings.passwordHash,
    isPassword,
    isAlone: !hasOtherProcesses,
    ask: askOthers,
    onLimit,
    audit,
    now,
    ticks,
  });
  let seen: ReadonlyMap<string, SeenSocket> = new Map();
  let totals: ReadonlyMap<string, Totals> = new Map();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const startedAt = ticks();

  // Afterwards the request is dropped (handshakeGuard.ts).
  io.engine.on('connection', (connection: LiveSocket['conn']) =>
    addresses.set(connection, addressKey(contextOf(connection.request).address)),
  );
  namespace.on('look', (acknowledge) => acknowledge(report()));
  namespace.on('session', guard.learn);
  namespace.on('sessions', (sessions) => sessions.forEach(guard.learn));
  namespace.on('ask', (hash, acknowledge) => acknowledge(guard.find(hash) ?? null));
  namespace.on('endSocket', endSocket);
  namespace.use((socket, next) => {
    enter(socket).then(
      (problem) => next(problem === undefined ? undefined : new Error(problem)),
      (error: unknown) => {
        logger.warn({ err: error }, 'an operator could not be let in');
        next(new Error('try again'));
      },
    );
  });
  namespace.on('connection', (socket) => {
    const { secret } = socket.data;
    if (secret !== undefined) socket.emit('session', secret as never);
    send(socket, configFrame(settings.mayChange));
    socket.onAny((event: string, ...args: unknown[]) => {
      metrics.frames.inc({ event: 'operator' });
      if (event === '_disconnect') command(socket, args);
    });
    send(socket, allSocketsFrame([report()])); // the others may take 5 s, where one of them has just ended
    void look(socket);
  });

  /** Why the client may not come in, as the page shows it. */
  async function enter(socket: OperatorSocket): Promise<string | undefined> {
    const { conn, handshake } = socket;
    if (entering.has(conn)) return 'one attempt at a time';
    if (namespace.sockets.size >= OPERATORS_MAX) return 'too many operators';
    entering.add(conn);
    const address = addresses.get(conn) ?? '';
    const admitted = await guard.admit(handshake.auth, address).finally(() => entering.delete(conn));
    handshake.auth = {};
    if (admitted.tag === 'refused') {
      metrics.connectionRefusals.inc({ code: `operator-${admitted.code}` });
      return admitted.message;
    }
    const { session, secret } = admitted;
    socket.data = { address, session, secret };
    onAuthenticated(conn);
    if (hasOtherProcesses) namespace.serverSideEmit('session', session);
    return undefined;
  }

  /** Sends what has changed to the operators here, and everything to `newcomer`. */
  async function look(newcomer?: OperatorSocket): Promise<void> {
    clearTimeout(timer);
    const others = await answersTo<ProcessReport>('look');
    const reports = [report(), ...others];
    const before = seen;
    seen = seenIn(reports);
    const frames = [
      ...changeFrames(before, seen),
      ...reports.map((one) => statsFrame(one, totals.get(one.server), now())),
    ];
    totals = new Map(reports.map((one) => [one.server, one.totals]));
    for (const socket of namespace.sockets.values()) {
      if (socket.data.session.until <= now()) socket.disconnect(true);
      else if (unsentBytes(socket.conn as unknown as LiveSocket['conn']) > UNSENT_OF_OPERATOR_BYTES)
        evict(socket);
      else
        for (const frame of socket === newcomer ? [allSocketsFrame(reports), ...frames] : frames)
          send(socket, frame);
    }
    clearTimeout(timer);
    if (isClosed || namespace.sockets.size === 0) [seen, totals] = [new Map(), new Map()];
    else timer = setTimeout(look, OPERATOR_LOOK_MS).unref();
  }

  function evict(socket: OperatorSocket) {
    metrics.evictedClients.inc({ reason: 'slow' });
    dropConnection(socket as unknown as LiveSocket);
  }

  /** What the other processes answer; without those that do not answer in time. */
  async function answersTo<Answer>(...message: unknown[]): Promise<Answer[]> {
    if (!hasOtherProcesses) return [];
    const ask = namespace.serverSideEmitWithAck.bind(namespace) as (...said: unknown[]) => Promise<unknown>;
    const answers = ask(...message).catch((error: { responses?: unknown }) => error.responses ?? []);
    return (await answers) as Answer[];
  }

  /** Asks again while this process may not have heard of all others: those it has not heard of are not waited for. */
  async function askOthers(hash: string): Promise<void> {
    for (;;) {
      const hasHeardOfAll = !hasOtherProcesses || ticks() - startedAt >= OTHERS_HEARD_AFTER_MS;
      const answers = await answersTo<OperatorSession | null>('ask', hash);
      for (const answer of answers) if (answer) guard.learn(answer);
      if (guard.find(hash) || hasHeardOfAll || isClosed) return;
      await sleep(OPERATOR_ASKS_EVERY_MS, undefined, { ref: false });
    }
  }

  /** `args` as the page sends them: the namespace, whether to close the connection, a socket's id. */
  function command(socket: OperatorSocket, [, , id]: unknown[]) {
    if (!settings.mayChange || typeof id !== 'string' || !SOCKET_ID.test(id)) return;
    const { address } = socket.data;
    if (commands.take('', 1) > 0) return onLimit('operator commands', { address });
    audit.record('operator-ended-socket', { address });
    endSocket(id);
    if (hasOtherProcesses) namespace.serverSideEmit('endSocket', id);
  }

  /** The client sees a lost network, comes back by its cursors, and has lost nothing. */
  function endSocket(id: string) {
    const socket =
      io.of('/').sockets.get(id) ?? (namespace.sockets.get(id) as unknown as LiveSocket | undefined);
    if (socket) endConnection(socket);
  }

  /** Those that were told of a session may all have stopped before this process. */
  async function tellSessions(): Promise<void> {
    for (let nth = 0; hasOtherProcesses && nth < OPERATOR_SESSIONS_SHARED_TIMES; nth++) {
      const sessions = guard.all();
      if (sessions.length === 0) return;
      namespace.serverSideEmit('sessions', sessions);
      await sleep(OPERATOR_ASKS_EVERY_MS);
    }
  }

  let shared: Promise<void> | undefined;
  const shareSessions = () => (shared ??= tellSessions());

  return {
    shareSessions,
    disconnect() {
      isClosed = true;
      clearTimeout(timer);
      for (const socket of namespace.sockets.values()) endConnection(socket as unknown as LiveSocket);
    },
    async close() {
      await shareSessions();
      await Promise.resolve(namespace.adapter.close()).catch(() => {});
    },
  };
}

const SOCKET_ID = /^[\w-]{20}$/;

function send(socket: OperatorSocket, [event, ...args]: AdminFrame): void {
  socket.emit(event, ...(args as never[]));
}
