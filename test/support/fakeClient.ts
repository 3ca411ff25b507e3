/** A fake `Client` for tests of views: it has the state that it is given and records all calls. */

import type { ReportedMessage, RoomRole } from '../../shared/protocol/index.ts';
import { type Cell, createCell } from '../../web/records/cell.ts';
import type { ReadBy } from '../../web/records/storedRecords.ts';
import type {
  AppState,
  Client,
  ConversationState,
  DeviceSummary,
  MemberSummary,
  Message,
  OpenReport,
  Outcome,
  PublicRoom,
  RoomInvitation,
  RoomSummary,
} from '../../web/state/model.ts';

export interface FakeClient extends Client {
  readonly app: Cell<AppState>;
  conversation(room: string): Cell<ConversationState>;
  /** Every call of a view, for example `['send', 'lobby', 'hello']`. */
  readonly calls: unknown[][];
}

export interface FakeStart {
  app: AppState;
  conversations?: Record<string, ConversationState>;
  publicRooms?: PublicRoom[];
  devices?: DeviceSummary[];
  invitations?: RoomInvitation[];
  reports?: OpenReport[];
  /** Of any report. */
  reported?: ReportedMessage[];
  members?: MemberSummary[];
  roles?: { roles: Record<string, RoomRole>; own: RoomRole };
  /** Results of methods by name; all others succeed. */
  answers?: Record<string, Outcome>;
  /** Who has read any message. */
  readBy?: ReadBy;
}

export function fakeClient({
  app,
  conversations = {},
  publicRooms = [],
  devices = [],
  invitations = [],
  reports = [],
  reported = [],
  members = [],
  roles = { roles: {}, own: 'member' },
  answers = {},
  readBy,
}: FakeStart): FakeClient {
  const calls: unknown[][] = [];
  const cells = new Map<string, Cell<ConversationState>>();
  const asked = async (name: string, ...args: unknown[]): Promise<Outcome> => {
    calls.push([name, ...args]);
    return answers[name] ?? { ok: true };
  };
  /** What an action answers besides its outcome. */
  const answersOfEngine: Record<string, (...args: never[]) => object> = {
    reactors: () => ({ reactors: [] }),
    readBy: () => ({ readBy }),
    reached: () => ({ by: undefined }),
    members: () => ({ members }),
    mentionable: () => ({ people: members, isAll: true }),
    showPresence: (_: string, show = true) => ({ shown: show }),
    createRoom: () => ({ room: 'lobby' }),
    lookUpRoom(id: string) {
      const room = publicRooms.find((one) => one.id === id);
      return room ? { room } : { ok: false, reason: { code: 'not-found' } };
    },
    writeTo: ({ id }: { id: string }) => ({ room: `${id}~${id}` }),
    profile: () => ({
      profile: { name: 'Lin', since: 1_700_000_000_000, rooms: ['lobby'], presence: { here: true } },
    }),
    pinned: () => ({
      pinned: {
        key: 'mika 1',
        author: 'mika',
        name: 'Mika',
        body: 'The keys of the boathouse hang behind the second door on the left',
      },
    }),
    roles: () => roles,
    listPublic: () => ({ rooms: publicRooms, next: undefined }),
  };
  const told =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args]);
    };
  const appCell = createCell(app);
  const conversation = (room: string) => {
    const cell = cells.get(room) ?? createCell(conversations[room] ?? conversationOf([]));
    cells.set(room, cell);
    return cell;
  };

  return {
    app: appCell,
    calls,
    conversation,
    signIn: (...args) => asked('signIn', ...args),
    signInByCode: (...args) => asked('signInByCode', ...args),
    setPassword: (...args) => asked('setPassword', ...args),
    signOut: () => asked('signOut'),
    devices: async () => ({
      list: async () => ({ ...(await asked('devices.list')), devices }),
      signOut: (...args) => asked('devices.signOut', ...args),
      makeCode: async () => ({ ...(await asked('devices.makeCode')), code: 'K7Q-M4P' }),
      makeRecoveryCode: async () => ({
        ...(await asked('devices.makeRecoveryCode')),
        code: 'Mk9zD3-hQe6cX1bY0aVt7w',
      }),
    }),
    keepers: async () => ({
      ask: async (...args) => ({
        ...(await asked('keepers.ask', ...args)),
        request: 'a'.repeat(22),
        number: '4711',
      }),
      stateOf: async (...args) => ({ ...(await asked('keepers.stateOf', ...args)), state: 'waiting' }),
      become: () => asked('keepers.become'),
      requests: async () => ({ ...(await asked('keepers.requests')), requests: [] }),
      decide: (...args) => asked('keepers.decide', ...args),
      devicesOf: async (...args) => ({ ...(await asked('keepers.devicesOf', ...args)), devices }),
      signOutDevice: (...args) => asked('keepers.signOutDevice', ...args),
      people: async (...args) => ({
        ...(await asked('keepers.people', ...args)),
        people: [
          { user: { id: 'ada', name: 'Ada', rev: 0 }, devices: 2, seenAt: Date.now(), keeper: true },
          { user: { id: 'lin', name: '林', rev: 0 }, devices: 0, keeper: false },
        ],
      }),
      changePerson: (...args) => asked('keepers.changePerson', ...args),
      server: async () => ({ ...(await asked('keepers.server')), freeBytes: 41_600_000_000 }),
    }),
    people: async () => ({
      rename: (...args) => asked('people.rename', ...args),
      invite: async (...args) => ({
        ...(await asked('people.invite', ...args)),
        token: 'Mk9zD3-hQe6cX1bY0aVt7w',
        code: 'K7Q-M4P',
      }),
      invitations: async (...args) => ({ ...(await asked('people.invitations', ...args)), invitations }),
      revokeInvitation: (...args) => asked('people.revokeInvitation', ...args),
      report: (...args) => asked('people.report', ...args),
      reports: async (...args) => ({ ...(await asked('people.reports', ...args)), reports }),
      readReport: async (...args) => ({
        ...(await asked('people.readReport', ...args)),
        report: reports[0]!,
        messages: reported,
        mayDelete: true,
      }),
      closeReport: (...args) => asked('people.closeReport', ...args),
      lookAtInvitation: async (...args) => ({
        ...(await asked('people.lookAtInvitation', ...args)),
        invited: { room: { id: 'ward', name: 'Ward 5', members: 14 }, by: 'Mika', newcomers: true },
      }),
    }),
    open: async (room) => void calls.push(['open', room]),
    loadOlder: told('loadOlder'),
    loadNewer: told('loadNewer'),
    loadBetween: told('loadBetween'),
    async jumpTo(room, offset) {
      calls.push(['jumpTo', room, offset]);
      return false;
    },
    toNewest: told('toNewest'),
    newestOwn: async (room) =>
      conversation(room)
        .get()
        .messages.findLast(({ mine }) => mine),
    leaveAt: told('leaveAt'),
    async send(room, body) {
      const outcome = await asked('send', room, body);
      if (outcome.ok) {
        const cell = conversation(room);
        const mine = message({ author: 'Ada', mine: true, body, at: Date.now(), status: { tag: 'queued' } });
        cell.set({ ...cell.get(), messages: [...cell.get().messages, mine] });
      }
      return outcome;
    },
    retry: (...args) => asked('retry', ...args),
    amend: (...args) => asked('amend', ...args),
    discard: (...args) => asked('discard', ...args),
    edit: (...args) => asked('edit', ...args),
    remove: (...args) => asked('remove', ...args),
    react: (...args) => asked('react', ...args),
    seen(...args) {
      told('seen')(...args);
      return true;
    },
    retryStorage: told('retryStorage'),
    draft: async (room) => roomsOf(appCell.get()).find((one) => one.id === room)?.draft ?? '',
    saveDraft: told('saveDraft'),
    typed: told('typed'),
    onSentElsewhere: () => {},
    takeDown: (...args) => asked('takeDown', ...args),
    ask: (async (what: string, ...args: unknown[]) => ({
      ...(await asked(what, ...args)),
      ...answersOfEngine[what]?.(...(args as never[])),
    })) as unknown as FakeClient['ask'],
  };
}

function roomsOf(app: AppState): RoomSummary[] {
  return app.tag === 'signed-in' ? app.rooms : [];
}

export function conversationOf(
  messages: Message[],
  change: Partial<ConversationState> = {},
): ConversationState {
  return {
    messages,
    atStart: true,
    atNewest: true,
    older: 'idle',
    between: 'idle',
    gaps: [],
    memberships: [],
    above: undefined,
    readUpTo: Number.POSITIVE_INFINITY,
    completeFrom: 1,
    opening: { left: undefined },
    loading: false,
    logGeneration: 0,
    ...change,
  };
}

export interface MessageStart {
  author: string;
  at: number;
  body?: string;
  mine?: boolean;
  edited?: boolean;
  content?: Message['content'];
  status?: Message['status'];
  serverOffset?: number;
  readByAll?: true;
  pending?: Message['pending'];
  can?: Message['can'];
}

let minted = 0;

export function message({
  author,
  at,
  body = '',
  mine = false,
  edited = false,
  content,
  status = { tag: 'sent' },
  serverOffset,
  readByAll,
  pending = 'none',
  can,
}: MessageStart): Message {
  const clientOffset = `key-${++minted}`;
  const changeable = mine && (content ?? { tag: 'text' }).tag === 'text' && status.tag !== 'not-sent';
  return {
    key: `${author} ${clientOffset}`,
    clientOffset,
    serverOffset: serverOffset ?? (status.tag === 'sent' ? minted : undefined),
    author: { id: `user-${author}`, name: author },
    mine,
    at,
    content: content ?? { tag: 'text', body, edited },
    status,
    ...(readByAll && { readByAll }),
    pending,
    can: can ?? { edit: changeable, remove: changeable },
  };
}

export function room(name: string, change: Partial<RoomSummary> = {}): RoomSummary {
  return {
    id: name,
    name,
    kind: 'public',
    members: 14,
    last: undefined,
    isEmpty: false,
    draft: '',
    waiting: 0,
    notSent: 0,
    unread: 0,
    mentions: [],
    wishes: { blocked: false, muted: false, pinned: false, hidden: false, unread: false },
    member: true,
    ...change,
  };
}
