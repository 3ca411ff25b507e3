/**
 * The English texts of the app, without those of the sheets (enSheets.ts). Other languages must have the same type, so a
 * missing text does not compile.
 */
import { counting } from './formats.ts';

const count = counting('en');

export const en = {
  lang: 'en',
  app: 'Holdfast',

  hello: {
    title: ['Say it now.', 'It gets there.'],
    promise:
      'Write whenever you like. Holdfast keeps every message on this device and delivers it once and in order, as soon as it can.',
    name: 'Your name',
    password: 'Password',
    taken: 'That name is taken. If it is yours, enter its password.',
    start: 'Start chatting',
    join: 'Join',
    small: 'No e-mail, no phone number.',
  },

  unsupported: {
    title: 'This browser cannot run Holdfast',
    why: (missing: string) =>
      `It lacks ${missing}. Use Chrome 111, Safari 16.4, Firefox 126 or a newer version.`,
  },
  broken: {
    title: 'Something went wrong',
    why: 'This is our mistake. Everything you wrote is saved on this device.',
    reload: 'Reload',
  },
  storage: {
    cannotOpen: 'The storage of this browser cannot be opened',
    retry: 'Try again',
  },
  update: { ready: 'A new version is ready', take: 'Update' },

  connection: {
    offline: 'Offline. What you write is sent later.',
    offlineWaiting: (n: number) =>
      count(n, { one: 'Offline. # message is waiting.', other: 'Offline. # messages are waiting.' }),
    connecting: 'Connecting…',
    catchingUp: 'Catching up…',
    moving: (percent: number) => `Preparing the messages on this device: ${percent}%`,
    signedOut: 'You are signed out. Sign in to continue.',
    signedOutWaiting: 'You are signed out. Sign in to send your waiting messages.',
    sessionUnknown: 'The server does not know this device. Sign in again; everything is kept.',
    unknown: 'The server was restored from a backup and no longer knows you. Your unsent messages are kept.',
    signIn: 'Sign in',
    upgrade: 'The server needs a newer version of the app.',
  },

  rooms: {
    title: 'Rooms',
    none: 'No rooms yet. Tap + above to add one.',
    pick: 'Choose a room to read and write.',
    you: 'You',
    /** Between an author and a text. */
    says: ': ',
    draft: (text: string) => `Draft: ${text}`,
    people: (n: number) => count(n, { one: '# person', other: '# people' }),
    waiting: (n: number) => count(n, { other: '# waiting' }),
    notSent: (n: number) => count(n, { other: '# not sent' }),
    unread: (n: string) => `${n} unread`,
    mentions: (n: string) => `${n} of them mention you`,
    /** Without new messages, but marked by the person. */
    marked: 'Unread',
    muted: 'Muted',
    pinned: 'Pinned',
    left: 'You are no longer in this room.',
    lobby: 'Lobby',
    notes: 'Notes to myself',
    empty: 'No messages yet',
    failing: 'The server cannot read this room right now. The app keeps trying.',
  },

  add: { open: 'Add a room' },

  menu: { open: 'Menu' },

  log: {
    today: 'Today',
    yesterday: 'Yesterday',
    empty: 'No messages yet. Say something.',
    older: 'Loading older messages…',
    olderStuck: 'You need a connection to load older messages.',
    between: 'Some messages are not loaded yet.',
    betweenStuck: (n: number) =>
      count(n, {
        one: 'You need a connection to load up to # message in between.',
        other: 'You need a connection to load up to # messages in between.',
      }),
    newest: 'Go to the newest message',
    newSince: (time: string) => `New since ${time}`,
    unseen: (n: number, written: string) =>
      count(n, { one: '# new message', other: '# new messages' }, written),
  },

  message: {
    deleted: 'Message deleted',
    blocked: 'From somebody you have blocked',
    deletedBy: 'Deleted by a moderator',
    edited: 'edited',
    all: 'Show all',
    more: 'More',
    unknown: 'Update the app to see this message.',
    unreadable: 'The server cannot read this message.',
    /** Before the emoji of one's own that was not sent. */
    reaction: 'Your reaction',
    creation: 'New room:',
    /** Beside “Sent”. */
    read: 'Read by all',
    states: {
      saving: 'Saving',
      queued: 'Queued',
      sending: 'Sending',
      checking: 'Checking',
      sent: 'Sent',
      'not-sent': 'Not sent',
    },
  },

  composer: {
    label: 'Message',
    send: 'Send',
    editing: 'Edit and send again',
    changing: 'Edit this message',
    kept: 'Your text is still here.',
  },

  back: 'Back to the rooms',
  cancel: 'Cancel',

  moreThan: (n: string) => `more than ${n}`,

  /** Why something failed, by error code. `any` is the default; the other tables hold what a code means in one place. */
  reasons: {
    any: {
      empty: 'Write something first.',
      'too-large': 'That is too long.',
      forbidden: 'You are not a member of this room.',
      'not-found': 'It does not exist, or no longer exists.',
      conflict: 'This conflicts with what the server has.',
      unauthorized: 'You are signed out.',
      'rate-limited': 'That was a lot at once. Try again in a moment.',
      unavailable: 'The server cannot answer right now. Try again in a moment.',
      'upgrade-required': 'The server needs a newer version of the app.',
      offline: 'You are offline. Try again when you have a connection.',
      'invitation-needed':
        'Somebody new needs an invitation of a keeper here. Check the spelling of your name, or ask for one.',
      'invitation-unknown': 'There is no such invitation. Check the code, or ask for a new one.',
      'invitation-used-up': 'This invitation was used by as many people as it is for. Ask for a new one.',
      'invitation-revoked': 'This invitation was taken back. Ask for a new one.',
      'invitation-expired': 'This invitation has expired. Ask for a new one.',
      unreadable: 'The app did not understand the answer of the server. Try again.',
      unreachable: 'The server cannot be reached right now.',
      'storage-full': 'This device is out of storage. Free some space and try again.',
      'storage-failed': 'This device could not save it. Try again, or reload the page.',
      internal: 'Something went wrong on the server. Try again.',
    },
    signIn: {
      empty: 'Enter a name first.',
      'too-large': 'A name can have at most 40 characters.',
      invalid: 'A name needs at least one visible character, and none that hide, turn or cover other text.',
      conflict: 'That name is taken.',
      'out-suspended': 'A keeper has suspended this account.',
      'sign-up-closed':
        'Nobody new can join here. Check the spelling of your name, or ask whoever runs the server.',
      forbidden: 'The server refused this. Ask whoever runs it.',
      unauthorized: 'The password is wrong, or this name has none.',
    },
    message: {
      invalid: 'It contains something that cannot be sent.',
      'not-found': 'The room, or the message it belongs to, no longer exists.',
      conflict: 'The server already has a different message with the same number.',
      deleted: 'The message you were editing has been deleted.',
      'mention-of-stranger':
        'It mentions somebody who is not in this room. Edit it, or send it without the @.',
    },
    storage: {
      'upgrade-required': 'A newer version of the app was used in this browser. Update to continue.',
    },
    other: 'That did not work.',
  },
};
