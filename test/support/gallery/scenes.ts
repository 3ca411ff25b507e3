/** The scenes of the gallery: every screen of the app, with the state that produces it. */
import type {
  ConnectionState,
  ConversationState,
  Message,
  RoomSummary,
  SignedIn,
} from '../../../web/state/model.ts';
import { conversationOf, type FakeStart, type MessageStart, message, room } from '../fakeClient.ts';

export interface Scene {
  start(): FakeStart;
  hash?: string;
  /** Text to type into the only field, first. */
  types?: string;
  /** Buttons to tap then, by accessible name. */
  taps?: string[];
  /** The text of the message whose menu to open. */
  menuOf?: string;
  update?: boolean;
}

const HARBOUR = 'harbour-watch';

export const SCENES: Record<string, Scene> = {
  hello: { start: () => ({ app: { tag: 'signed-out' } }) },
  taken: {
    start: () => ({ app: { tag: 'signed-out' }, answers: { signIn: refused('conflict') } }),
    types: 'Ada',
    taps: ['Start chatting'],
  },
  unsupported: { start: () => ({ app: { tag: 'unsupported', missing: 'IndexedDB' } }) },
  storage: { start: () => ({ app: { tag: 'storage', reason: { code: 'storage-failed' } } }) },
  'storage-newer': {
    start: () => ({ app: { tag: 'storage', reason: { code: 'upgrade-required' } } }),
  },
  rooms: { start: () => ({ app: signedIn({ rooms: rooms() }) }) },
  'rooms-offline': {
    start: () => ({ app: signedIn({ rooms: rooms(), connection: { tag: 'offline' }, waiting: 1 }) }),
  },
  add: {
    start: () => ({ app: signedIn({ rooms: rooms() }), publicRooms: publicRooms() }),
    taps: ['Add a room'],
  },
  menu: {
    start: () => ({ app: signedIn({ rooms: rooms(), startsOffline: false }) }),
    taps: ['Menu'],
  },
  'sign-out': {
    start: () => ({ app: signedIn({ rooms: rooms(), waiting: 3, hasPassword: false, lastDevice: true }) }),
    taps: ['Menu', 'Sign out'],
  },
  password: {
    start: () => ({ app: signedIn({ rooms: rooms(), hasPassword: true }) }),
    taps: ['Menu', 'Change the password'],
  },
  devices: {
    start: () => ({
      app: signedIn({ rooms: rooms(), hasPassword: true }),
      devices: [
        { id: 'a', createdAt: Date.now(), seenAt: Date.now(), current: true },
        { id: 'b', createdAt: Date.now() - 40 * 86_400_000, seenAt: Date.now() - 86_400_000, current: false },
      ],
    }),
    taps: ['Menu', 'Your devices'],
  },
  people: {
    start: () => ({
      app: { ...signedIn({ rooms: rooms() }), role: 'keeper' },
      invitations: [invitation(12, 'Mika')],
    }),
    taps: ['Menu', 'People and this server', 'Find'],
  },
  person: {
    start: () => ({ app: { ...signedIn({ rooms: rooms() }), role: 'keeper' } }),
    taps: ['Menu', 'People and this server', 'Find', 'Change Ada'],
  },
  name: { start: () => ({ app: signedIn({ rooms: rooms() }) }), taps: ['Menu', 'Change your name'] },
  invite: {
    start: () => ({ ...talk(live()), invitations: [invitation(12, 'Mika'), invitation(0, 'Lin')] }),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', 'Invite people'],
  },
  invited: {
    start: () => talk(live()),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', 'Invite people', 'Make an invitation'],
  },
  'join-new': { start: () => ({ app: { tag: 'signed-out' } }), hash: '#/join/Mk9zD3-hQe6cX1bY0aVt7w' },
  join: { start: () => ({ app: signedIn({ rooms: rooms() }) }), hash: '#/join/Mk9zD3-hQe6cX1bY0aVt7w' },
  members: { start: () => people(), hash: `#/room/${HARBOUR}`, taps: ['Menu', 'Who is here'] },
  profile: { start: () => people(), hash: `#/room/${HARBOUR}`, taps: ['Menu', 'Who is here', '林 online'] },
  'member-actions': {
    start: () => ({ ...people(), roles: { roles: { 'user-Ada': 'owner' }, own: 'owner' } }),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', 'Who is here', 'What you can do about 林'],
  },
  'member-ban': {
    start: () => ({ ...people(), roles: { roles: { 'user-Ada': 'owner' }, own: 'owner' } }),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', 'Who is here', 'What you can do about 林', 'Ban from the room'],
  },
  mention: { start: () => people(), hash: `#/room/${HARBOUR}`, types: 'Who has the key? @' },
  report: {
    start: () => people(),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', 'Who is here', '林 online', 'Report'],
  },
  reports: { start: () => reported(), hash: `#/room/${HARBOUR}`, taps: ['Menu', '1 report'] },
  'one-report': {
    start: () => reported(),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', '1 report', 'Look at the report'],
  },
  suspend: {
    start: () => ({ app: { ...signedIn({ rooms: rooms() }), role: 'keeper' } }),
    taps: ['Menu', 'People and this server', 'Find', 'Change 林', 'Suspend'],
  },
  suspended: {
    start: () => ({ app: signedIn({ rooms: rooms(), connection: { tag: 'suspended' }, waiting: 1 }) }),
  },
  'edit-room': {
    start: () => moderated(talk(live())),
    hash: `#/room/${HARBOUR}`,
    taps: ['Menu', 'Edit room'],
  },
  announcements: {
    start: () => {
      const start = talk(live());
      const app = start.app as SignedIn;
      const [harbour, ...others] = app.rooms;
      const about = { upTo: 3, announcements: true };
      return { ...start, app: { ...app, rooms: [{ ...harbour!, about }, ...others] } };
    },
    hash: `#/room/${HARBOUR}`,
  },
  pinned: {
    start: () => {
      const start = talk(live());
      const app = start.app as SignedIn;
      const [harbour, ...others] = app.rooms;
      const about = { upTo: 3, pinned: 999_999 };
      return { ...start, app: { ...app, rooms: [{ ...harbour!, about }, ...others] } };
    },
    hash: `#/room/${HARBOUR}`,
  },
  'menu-of-room': { start: () => moderated(talk(live())), hash: `#/room/${HARBOUR}`, taps: ['Menu'] },
  leave: { start: () => talk(live()), hash: `#/room/${HARBOUR}`, taps: ['Menu', 'Leave this room'] },
  typing: {
    start: () => {
      const start = talk(live());
      const app = start.app as SignedIn;
      const [harbour, lin, ...others] = app.rooms;
      const typing = [
        { ...harbour!, typing: ['Mika', '林'] },
        { ...lin!, typing: ['林'] },
      ];
      return { ...start, app: { ...app, rooms: [...typing, ...others] } };
    },
    hash: `#/room/${HARBOUR}`,
  },
  live: { start: () => talk(live()), hash: `#/room/${HARBOUR}` },
  offline: {
    start: () => talk(offline(), { tag: 'offline' }, 3, 'We can see the harbour li'),
    hash: `#/room/${HARBOUR}`,
  },
  day: { start: () => talk(tooLong()), hash: `#/room/${HARBOUR}`, taps: ['Menu', 'Go to a date'] },
  'unmade-room': {
    start: () => talk(unmade()),
    hash: `#/room/${HARBOUR}`,
    taps: ['Not sent'],
  },
  'not-sent': {
    start: () => talk(tooLong(), { tag: 'catching-up' }),
    hash: `#/room/${HARBOUR}`,
    taps: ['Not sent'],
  },
  states: { start: () => talk(everyState(), { tag: 'offline' }, 3), hash: `#/room/${HARBOUR}` },
  'sign-in': {
    start: () => talk(offline(), { tag: 'signed-out', ended: true }, 3),
    hash: `#/room/${HARBOUR}`,
    taps: ['Sign in'],
  },
  'signed-out': {
    start: () => talk(offline(), { tag: 'signed-out', ended: true }, 3),
    hash: `#/room/${HARBOUR}`,
  },
  upgrade: { start: () => talk(live(), { tag: 'upgrade' }), hash: `#/room/${HARBOUR}` },
  update: { start: () => talk(live()), hash: `#/room/${HARBOUR}`, update: true },
  full: {
    start: () => ({
      ...talk(live(), { tag: 'live' }, 0, 'A text that\nneeds two lines'),
      answers: { send: refused('storage-full') },
    }),
    hash: `#/room/${HARBOUR}`,
    taps: ['Send'],
  },
  long: { start: () => talk(many()), hash: `#/room/${HARBOUR}` },
  'message-menu': {
    start: () => talk(live()),
    hash: `#/room/${HARBOUR}`,
    menuOf: 'Have it. Battery at 80 %',
  },
  details: {
    start: () => talk(offline(), { tag: 'offline' }, 3),
    hash: `#/room/${HARBOUR}`,
    taps: ['Queued'],
  },
  'details-older': {
    start: () => talk([message({ author: 'Ada', mine: true, at: today(9, 0) - DAY, body: 'all well' })]),
    hash: `#/room/${HARBOUR}`,
    taps: ['Sent'],
  },
  editing: {
    start: () => talk(live()),
    hash: `#/room/${HARBOUR}`,
    menuOf: 'Have it. Battery at 80 %',
    taps: ['Edit'],
  },
  remove: {
    start: () => talk(live()),
    hash: `#/room/${HARBOUR}`,
    menuOf: 'Have it. Battery at 80 %',
    taps: ['Delete'],
  },
  'new-since': {
    start: () => {
      const messages = live();
      return talkWith({ ...conversationOf(messages), readUpTo: messages[2]!.serverOffset! });
    },
    hash: `#/room/${HARBOUR}`,
  },
  left: {
    start: () => {
      const start = talk(offline(), { tag: 'live' }, 3);
      const app = start.app as SignedIn;
      const [harbour, ...others] = app.rooms;
      return { ...start, app: { ...app, rooms: [{ ...harbour!, member: false }, ...others] } };
    },
    hash: `#/room/${HARBOUR}`,
  },
  formatted: { start: () => talkWith(formatted()), hash: `#/room/${HARBOUR}` },
  emptied: { start: () => onStorage('emptied'), hash: `#/room/${HARBOUR}` },
  failing: { start: () => onStorage('failing'), hash: `#/room/${HARBOUR}` },
  empty: { start: () => talk([]), hash: `#/room/${HARBOUR}` },
};

function refused(code: string) {
  return { ok: false as const, reason: { code } };
}

function signedIn(change: Partial<SignedIn>): SignedIn {
  return {
    tag: 'signed-in',
    user: { id: 'user-Ada', name: 'Ada', rev: 0 },
    hasPassword: false,
    hasRecoveryCode: false,
    role: undefined,
    lastDevice: true,
    connection: { tag: 'live' },
    waiting: 0,
    rooms: [],
    startsOffline: true,
    storage: 'ok',
    ...change,
  };
}

function talk(
  messages: Message[],
  connection: ConnectionState = { tag: 'live' },
  waiting = 0,
  draft = '',
): FakeStart {
  const [harbour, ...others] = rooms();
  return {
    app: signedIn({ connection, waiting, rooms: [{ ...harbour!, draft }, ...others] }),
    conversations: { [HARBOUR]: conversationOf(messages) },
  };
}

/** The person is a moderator of the room, which says what it is about. */
function moderated(start: FakeStart): FakeStart {
  const app = start.app as SignedIn;
  const [harbour, ...others] = app.rooms;
  const about = { upTo: 3, description: 'Who keeps watch at the harbour, and when.\nAsk Mika for the keys.' };
  return { ...start, app: { ...app, rooms: [{ ...harbour!, role: 'moderator', about }, ...others] } };
}

function onStorage(storage: SignedIn['storage']): FakeStart {
  const start = talk(live());
  return { ...start, app: { ...(start.app as SignedIn), storage } };
}

function talkWith(state: ConversationState): FakeStart {
  return { ...talk([]), conversations: { [HARBOUR]: state } };
}

/** A conversation with people who can be listed and mentioned. */
function people(): FakeStart {
  return {
    ...talk(live()),
    members: [
      { id: 'ada', name: 'Ada', presence: { here: true } },
      { id: 'lin', name: '林', presence: { here: true } },
      { id: 'osei', name: 'Osei', presence: { seenAt: Date.now() } },
      { id: 'mika', name: 'Mika', presence: {} },
    ],
  };
}

function reported(): FakeStart {
  const [mika, lin] = ['mika', 'lin'].map((id) => ({ id, name: id === 'lin' ? '林' : 'Mika', rev: 0 }));
  const message = (serverOffset: number, body: string, minute: number) => ({
    serverOffset,
    clientOffset: `key ${serverOffset}`,
    author: mika!,
    at: today(13, minute),
    body,
  });
  return {
    ...moderated(talk(live())),
    reports: [
      {
        id: 'r',
        by: lin!,
        about: mika!,
        createdAt: today(13, 30),
        room: HARBOUR,
        message: 2,
        reason: 'He writes this every day, in every room.',
      },
    ],
    reported: [
      message(1, 'Good morning', 18),
      { ...message(2, 'Never mind', 19), firstBody: 'You are all stupid'.repeat(6) },
      message(3, 'Ha!', 20),
    ],
  };
}

function rooms(): RoomSummary[] {
  const last = (author: string, text: string, at: number, mine = false) => ({
    author,
    mine,
    text,
    deleted: false,
    at,
  });
  return [
    room('Harbour watch', {
      id: HARBOUR,
      last: last('Mika', 'Tide turns at 14:20, we cast off at two.', today(13, 20)),
    }),
    room('林', {
      id: 'lin',
      unread: 3,
      kind: 'direct',
      members: 2,
      last: last('林', '我在码头了，风有点大', today(13, 11)),
    }),
    room('Lobby', {
      id: 'lobby',
      waiting: 1,
      last: last('Ada', 'Two seals on the rocks!', today(12, 58), true),
    }),
    room('Osei', {
      id: 'osei',
      kind: 'direct',
      draft: 'about tomorrow, could we',
      last: last('Osei', 'ok', today(9, 0) - DAY),
    }),
    room('Kitchen', {
      id: 'kitchen-table',
      notSent: 1,
      last: { author: 'Mika', mine: false, text: undefined, deleted: true, at: today(9, 0) - 2 * DAY },
    }),
    room('Garden', { id: 'garden-path', isEmpty: true }),
    room('A room with a name of forty characters x', {
      id: 'forty',
      last: last('Mika', 'hm', today(9, 0) - 60 * DAY),
    }),
  ];
}

function publicRooms() {
  return [
    { id: 'lobby', name: 'Lobby', members: 31 },
    { id: 'garden', name: 'Garden', members: 1 },
    { id: 'night', name: 'Night shift', members: 7 },
  ];
}

function live(): Message[] {
  return [
    message({ author: 'Mika', at: today(13, 2), body: 'Tide turns at 14:20, we cast off at two.' }),
    message({ author: 'Mika', at: today(13, 2), body: 'Bring the second radio please' }),
    message({ author: 'Ada', mine: true, at: today(13, 4), body: 'Have it. Battery at 80 %' }),
    message({ author: '林', at: today(13, 11), body: '我在码头了，风有点大' }),
    message({ author: 'Mika', at: today(13, 20), body: 'Forecast: https://example.org/forecast' }),
    message({ author: 'Mika', at: today(13, 21), content: { tag: 'deleted' } }),
    message({
      author: 'Ada',
      mine: true,
      at: today(13, 24),
      edited: true,
      body: "Seen. Let's take the long way round the point then, and keep inside the buoys.",
    }),
    message({
      author: 'Ada',
      mine: true,
      at: today(13, 24),
      body: 'Coming down now',
      status: { tag: 'sending' },
    }),
  ];
}

/** Formatting, and who joined and left. */
function formatted(): ConversationState {
  const quoted =
    '> Tide turns at *14:20*, we cast off at two.\nThen I bring the `second` radio, _not_ the first.';
  const messages = [
    message({ author: 'Mika', at: today(13, 2), body: '*Tide* turns at _14:20_. The channel is `VHF 72`.' }),
    message({ author: 'Ada', mine: true, at: today(13, 4), body: quoted }),
    message({ author: '林', at: today(13, 11), body: '我在*码头*了，风_有点大_。' }),
  ].map((one, i) => ({ ...one, serverOffset: 2 * i + 1 }));
  const people = (named: (string | undefined)[], others = 0) => ({ named, others });
  const joined = people(['林', 'Osei'], 3);
  return conversationOf(messages, {
    memberships: [
      { from: 2, to: 2, at: today(13, 3), people: { joined: people([undefined]), left: people([]) } },
      { from: 6, to: 12, at: today(13, 12), people: { joined, left: people(['Rae']) } },
    ],
  });
}

function offline(): Message[] {
  const mine = (hour: number, minute: number, body: string, status: Message['status']) =>
    message({ author: 'Ada', mine: true, at: today(hour, minute), body, status });
  return [
    message({ author: 'Mika', at: today(15, 40), body: 'Where are you?' }),
    mine(15, 41, 'Past the second buoy', { tag: 'sent' }),
    mine(15, 41, 'all well', { tag: 'checking' }),
    mine(15, 52, 'No signal behind the point, back in 20 minutes', { tag: 'queued' }),
    mine(15, 55, 'Two seals on the rocks!', { tag: 'queued' }),
    mine(16, 3, 'Tell Lin to put the kettle on', { tag: 'queued' }),
    mine(16, 10, '(a text of 9,000 characters)', { tag: 'not-sent', reason: { code: 'too-large' } }),
  ];
}

/** Messages with each kind of content and each status, once. */
function everyState(): Message[] {
  const mine = (body: string, change: Partial<MessageStart>) =>
    message({ author: 'Ada', mine: true, at: today(13, 4), body, ...change });
  return [
    message({ author: 'Mika', at: today(13, 2), body: 'Of another' }),
    message({ author: 'Mika', at: today(13, 2), body: 'Changed by another', edited: true }),
    message({ author: 'Mika', at: today(13, 3), content: { tag: 'deleted' } }),
    message({ author: 'Mika', at: today(13, 3), content: { tag: 'unknown', kind: 'poll' } }),
    mine('Arrived', {}),
    mine('Arrived and changed', { edited: true }),
    mine('', { content: { tag: 'deleted' } }),
    mine('Changed here, not yet there', { edited: true, pending: 'edit', status: { tag: 'queued' } }),
    mine('On its way', { status: { tag: 'sending' } }),
    mine('Sent, perhaps', { status: { tag: 'checking' } }),
    mine('Being saved', { status: { tag: 'saving' } }),
    mine('Waits', { status: { tag: 'queued' } }),
    mine('Refused', { status: { tag: 'not-sent', reason: { code: 'too-large' } } }),
  ];
}

/** The room was refused. */
function unmade(): Message[] {
  const status = { tag: 'not-sent', reason: { code: 'forbidden' } } as const;
  const row = message({ author: 'Ada', mine: true, at: today(16, 21), body: '', status });
  return [{ ...row, content: { tag: 'creation', of: 'Harbour' } }];
}

function tooLong(): Message[] {
  return [
    message({ author: 'Mika', at: today(16, 20), body: "Kettle's on" }),
    message({ author: 'Ada', mine: true, at: today(16, 21), body: 'Nearly there' }),
    message({
      author: 'Ada',
      mine: true,
      at: today(16, 21),
      body: 'a long text '.repeat(750),
      status: { tag: 'not-sent', reason: { code: 'too-large' } },
    }),
  ];
}

function many(): Message[] {
  return Array.from({ length: 120 }, (_, i) =>
    message({
      author: ['Mika', 'Ada', '林', 'Osei'][(i >> 1) % 4]!,
      mine: (i >> 1) % 4 === 1,
      at: today(9, 0) - DAY + i * 20 * 60_000,
      body: `Message ${i}${i % 7 === 0 ? '\nwith a second line' : ''}`,
    }),
  );
}

const DAY = 86_400_000;

function today(hour: number, minute: number): number {
  return new Date().setHours(hour, minute, 0, 0);
}

function invitation(uses: number, name: string) {
  const createdAt = Date.now();
  return {
    id: name.padEnd(43, 'x'),
    room: HARBOUR,
    by: { name },
    createdAt,
    expiresAt: createdAt + 7 * 86_400_000,
    maxUses: 50,
    uses,
    makesAccounts: false,
  };
}
