/**
 * The frames of admin-ui: what its page understands. Pure. Socket.IO's own `instrument` is not used: it sends the arguments of
 * events, headers and `socket.data`, it replaces `socket.data` by a proxy, which a class with private fields does not survive,
 * and a password that is no string ends the process (docs/DECISIONS.md).
 */
import type { ProcessReport, ShownSocket, Totals } from './processReport.ts';

export type AdminFrame = [event: string, ...args: unknown[]];

/** What an operator's page may do. `ALL_EVENTS` makes it show sockets; the events of clients are never sent. */
export function configFrame(mayChange: boolean): AdminFrame {
  const changes = mayChange ? ['DISCONNECT', 'MDISCONNECT'] : [];
  return ['config', { supportedFeatures: ['AGGREGATED_EVENTS', 'ALL_EVENTS', ...changes] }];
}

export function allSocketsFrame(reports: readonly ProcessReport[]): AdminFrame {
  return [
    'all_sockets',
    reports.flatMap(({ server, sockets }) => sockets.map((one) => shownAs(one, server))),
  ];
}

/** `before`: the totals of an earlier report of the same process. `now`: the wall clock in milliseconds. */
export function statsFrame(report: ProcessReport, before: Totals | undefined, now: number): AdminFrame {
  const timestamp = now - (now % 1_000);
  const types = Object.keys(report.totals) as (keyof Totals)[];
  return [
    'server_stats',
    {
      serverId: report.server,
      hostname: report.hostname,
      pid: report.pid,
      uptime: report.uptime,
      clientsCount: report.clients,
      pollingClientsCount: report.polling,
      namespaces: report.namespaces,
      aggregatedEvents: before
        ? types.map((type) => ({ timestamp, type, count: report.totals[type] - before[type] }))
        : [],
    },
  ];
}

/** What has come, gone and changed. `before` and `after` by the id of the socket. */
export function changeFrames(
  before: ReadonlyMap<string, SeenSocket>,
  after: ReadonlyMap<string, SeenSocket>,
): AdminFrame[] {
  const frames: AdminFrame[] = [];
  for (const [id, { socket }] of before)
    if (!after.has(id)) frames.push(['socket_disconnected', socket.nsp, id, 'gone']);
  for (const [id, { socket, server }] of after) {
    const earlier = before.get(id);
    const shown = shownAs(socket, server);
    if (!earlier) frames.push(['socket_connected', shown]);
    else if (!isSame(earlier.socket, socket)) {
      const { nsp, transport, data } = shown;
      frames.push(['socket_updated', { id, nsp, transport, data }]);
    }
  }
  return frames;
}

export interface SeenSocket {
  socket: ShownSocket;
  server: string;
}

export function seenIn(reports: readonly ProcessReport[]): Map<string, SeenSocket> {
  return new Map(
    reports.flatMap(({ server, sockets }) => sockets.map((socket) => [socket.id, { socket, server }])),
  );
}

function isSame(one: ShownSocket, other: ShownSocket): boolean {
  return (
    one.transport === other.transport && one.rooms === other.rooms && one.unsentBytes === other.unsentBytes
  );
}

/** The page expects all fields of a handshake. The only room is the one that each socket has for itself. */
function shownAs({ id, nsp, connection, transport, since, rooms, unsentBytes }: ShownSocket, server: string) {
  return {
    id,
    nsp,
    clientId: connection,
    transport,
    data: { server, rooms, unsentBytes },
    handshake: {
      address: '',
      headers: {},
      query: {},
      issued: since,
      time: new Date(since).toISOString(),
      secure: false,
      url: '',
      xdomain: false,
    },
    rooms: [id],
  };
}
