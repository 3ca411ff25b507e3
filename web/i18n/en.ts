/** Every English text of the app. Its type is what each other language has to fill: a missing text does not compile. */
import { counting } from './plural.ts';

const count = counting('en');

export const en = {
  app: 'Holdfast',

  hello: {
    title: ['Say it now.', 'It gets there.'],
    promise:
      'Write whenever you like. Holdfast keeps every message on this device and delivers it once, in order, as soon as there is a way.',
    name: 'Your name',
    password: 'Password',
    taken: 'That name is taken. If it is yours, enter its password.',
    start: 'Start chatting',
    small: 'No e-mail, no phone number.',
  },

  unsupported: {
    title: 'This browser cannot run Holdfast',
    why: (missing: string) =>
      `It lacks ${missing}. Chrome 120, Safari 16.4 and Firefox 126, or later ones, have it.`,
  },
  broken: {
    title: 'This screen broke',
    why: 'That is our mistake. Everything you wrote is kept on this device.',
    reload: 'Reload',
  },
  storage: {
    full: 'The storage of this device is full. What you write now cannot be kept; free some space.',
    failing: 'This device does not take what you write just now.',
    cannotOpen: 'The storage of this browser cannot be opened',
    retry: 'Try again',
  },
  update: { ready: 'A new version is ready', take: 'Update' },

  connection: {
    offline: 'Offline. What you write waits here.',
    offlineWaiting: (n: number) =>
      count(n, { one: 'Offline. # message waits here.', other: 'Offline. # messages wait here.' }),
    connecting: 'Connecting…',
    catchingUp: 'Catching up…',
    signedOut: 'Signed out. Sign in to go on.',
    signedOutWaiting: 'Signed out. Sign in to send what waits.',
    signIn: 'Sign in',
    upgrade: 'The server needs a newer version of the app.',
  },

  rooms: {
    title: 'Rooms',
    none: 'No rooms yet. Add one with the plus above.',
    pick: 'Choose a room to read and write.',
    missing: 'This room is not among yours.',
    you: 'You',
    line: (who: string, text: string) => `${who}: ${text}`,
    draft: (text: string) => `Draft: ${text}`,
    people: (n: number) => count(n, { one: '# person', other: '# people' }),
    waiting: (n: number) => count(n, { other: '# waiting' }),
    notSent: (n: number) => count(n, { other: '# not sent' }),
    unread: (n: number) => count(n, { other: '# unread' }),
    left: 'You left this room.',
    joinAgain: 'Join again',
  },

  add: {
    open: 'Add a room',
    title: 'Add a room',
    name: 'Name of a new room',
    create: 'Create',
    public: 'Public rooms',
    join: 'Join',
    joinNamed: (room: string) => `Join ${room}`,
    looking: 'Looking for public rooms…',
    none: 'You are in every public room there is.',
  },

  menu: {
    open: 'Menu',
    as: (name: string) => `Signed in as ${name}`,
    setPassword: 'Set a password',
    changePassword: 'Change the password',
    leave: 'Leave this room',
    signOut: 'Sign out',
    edit: 'Edit',
    delete: 'Delete',
    copy: 'Copy',
    details: 'Details',
    forMessage: (name: string) => `Message of ${name}`,
    needsHttps:
      'This page came by plain HTTP. It chats and keeps what you write, but opening it without a network needs HTTPS.',
  },

  password: {
    why: 'With a password you can come back under this name, from any device.',
    current: 'Password until now',
    new: 'New password',
    save: 'Save',
  },

  leave: {
    title: (room: string) => `Leave ${room}?`,
    why: 'You get no more of its messages. You can join it again.',
    waiting: (n: number) =>
      count(n, {
        one: '# message of yours still waits here; after you leave it is not accepted.',
        other: '# messages of yours still wait here; after you leave they are not accepted.',
      }),
    confirm: 'Leave',
  },

  signOut: {
    title: 'Sign out?',
    waiting: (n: number, name: string) =>
      count(n, {
        one: `# message waits here. It stays on this device, and is sent when ${name} signs in here again.`,
        other: `# messages wait here. They stay on this device, and are sent when ${name} signs in here again.`,
      }),
    forGood: (name: string) =>
      `${name} has no password and is signed in on no other device: signing out is for good. Nobody can be ${name} again.`,
    neverSent: (n: number) =>
      count(n, {
        one: '# message waits here and is then never sent.',
        other: '# messages wait here and are then never sent.',
      }),
    noPassword: (name: string) =>
      `${name} has no password. To sign in here again, set one first, here or on another device.`,
    unsure: 'Without a password and another device, signing out is for good.',
    safe: 'You can sign in again with your password.',
    confirm: 'Sign out',
    confirmForGood: 'Sign out for good',
  },

  signIn: {
    title: 'Sign in again',
    why: (name: string) => `Everything is still here. Enter the password of ${name} to go on.`,
  },

  log: {
    today: 'Today',
    yesterday: 'Yesterday',
    empty: 'Nothing here yet. Say something.',
    older: 'Loading older messages…',
    olderStuck: 'Older messages need a connection.',
    newest: 'To the newest message',
    newSince: (time: string) => `New since ${time}`,
    unseen: (n: number) => count(n, { one: '# new message', other: '# new messages' }),
  },

  message: {
    deleted: 'Message deleted',
    edited: 'edited',
    unknown: 'This message needs a newer version of the app.',
    states: {
      queued: 'Queued',
      sending: 'Sending',
      checking: 'Checking',
      sent: 'Sent',
      'not-sent': 'Not sent',
    },
  },

  details: {
    queued: (since: string) =>
      `Written at ${since}. It is kept on this device, and is sent as soon as there is a way.`,
    sending: (since: string) => `Written at ${since}. It is on its way to the server.`,
    checking: (since: string) =>
      `Written at ${since}. It was sent, and the server has not confirmed it yet. It is asked again, and arrives once.`,
    sent: (at: string) => `The server has it since ${at}.`,
    notSent: (since: string) => `Written at ${since}. The server did not take it; it is kept on this device.`,
    edited: 'It was changed after it was sent.',
    deleted: 'It was deleted for everybody.',
  },

  language: { title: 'Language', own: 'English' },

  composer: {
    label: 'Message',
    send: 'Send',
    editing: 'Edit and send again',
    kept: 'Your text is still here.',
  },

  notSent: {
    title: 'Not sent',
    others: 'It held up nothing you wrote after it.',
    edit: 'Edit',
    retry: 'Try again',
    discard: 'Delete',
  },

  back: 'Back to the rooms',
  cancel: 'Cancel',

  tooLong: (length: number, most: number) =>
    `It has ${count(length, { other: '#' })} characters; a message holds ${count(most, { other: '#' })}.`,

  /** What did not work, by its code; where the same code means something else, the place has its own table. */
  reasons: {
    any: {
      empty: 'There is nothing in it yet.',
      'too-large': 'That is too long.',
      forbidden: 'You are not a member of this room.',
      'not-found': 'It is not there, or not there any more.',
      conflict: 'That does not fit what the server has.',
      unauthorized: 'You are signed out.',
      'rate-limited': 'That was a lot at once. Try again in a moment.',
      unavailable: 'The server cannot answer just now. Try again in a moment.',
      'upgrade-required': 'The server needs a newer version of the app.',
      offline: 'There is no network just now. Try again when there is.',
      unreadable: 'The server answered something that makes no sense. Try again.',
      unreachable: 'The server cannot be reached just now.',
      'storage-full': 'The storage of this device is full. Free some space and try again.',
      'storage-failed': 'This device could not save it. Try again, or reload the page.',
      internal: 'The server made a mistake. Try again.',
    },
    signIn: {
      empty: 'Enter a name first.',
      'too-large': 'A name holds 40 characters.',
      invalid: 'A name needs something to see and no control characters.',
      conflict: 'That name is taken.',
      unauthorized: 'That is not its password, or it never had one.',
    },
    password: {
      empty: 'Enter a password first.',
      'too-large': 'A password holds 200 characters.',
      unauthorized: 'That is not the password until now.',
    },
    room: {
      empty: 'Enter a name first.',
      'too-large': 'A name holds 40 characters.',
      invalid: 'A name needs something to see and no control characters.',
      conflict: 'That room is there already.',
    },
    message: {
      invalid: 'It holds something that cannot be sent.',
      'not-found': 'The room, or the message it belongs to, is not there any more.',
      conflict: 'The server has another message under its key.',
    },
    other: 'That did not work.',
  },
};
