/**
 * Every English text of the app but those of the sheets (enSheets.ts). Its type is what each other language has to fill: a
 * missing text does not compile.
 */
import { counting } from './plural.ts';

const count = counting('en');

export const en = {
  lang: 'en',
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
    moving: (percent: number) => `Preparing the messages on this device: ${percent} %`,
    signedOut: 'Signed out. Sign in to go on.',
    signedOutWaiting: 'Signed out. Sign in to send what waits.',
    unknown: 'The server was put back to an older state and no longer knows you. What was not sent is kept.',
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
    unread: (n: string) => `${n} unread`,
    left: 'You left this room.',
    failing: 'The server cannot read this room just now. It is tried again by itself.',
    joinAgain: 'Join again',
  },

  add: { open: 'Add a room' },

  menu: { open: 'Menu' },

  log: {
    today: 'Today',
    yesterday: 'Yesterday',
    empty: 'Nothing here yet. Say something.',
    older: 'Loading older messages…',
    olderStuck: 'Older messages need a connection.',
    between: 'Some messages are not loaded yet.',
    betweenStuck: 'Messages in between need a connection.',
    newest: 'To the newest message',
    newSince: (time: string) => `New since ${time}`,
    unseen: (n: number, written: string) =>
      count(n, { one: '# new message', other: '# new messages' }, written),
  },

  message: {
    deleted: 'Message deleted',
    edited: 'edited',
    unknown: 'This message needs a newer version of the app.',
    unreadable: 'The server cannot read this message.',
    states: {
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
      deleted: 'The message that you were changing was deleted meanwhile.',
    },
    storage: {
      'upgrade-required': 'A newer version of the app has been used here. Take it to go on.',
    },
    other: 'That did not work.',
  },
};
