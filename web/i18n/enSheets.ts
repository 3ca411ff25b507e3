/** The English texts that only the sheets say: nobody needs them at the first paint. */
import { counting } from './plural.ts';

const count = counting('en');

export type SheetTexts = typeof enSheets;

export const enSheets = {
  add: {
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
    as: (name: string) => `Signed in as ${name}`,
    setPassword: 'Set a password',
    changePassword: 'Change the password',
    leave: 'Leave this room',
    signOut: 'Sign out',
    needsHttps:
      'This page came by plain HTTP. It chats and keeps what you write, but opening it without a network needs HTTPS.',
  },

  message: {
    edit: 'Edit',
    delete: 'Delete',
    copy: 'Copy',
    details: 'Details',
    ofYou: 'Your message',
    of: (name: string) => `Message of ${name}`,
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
    unknown: (name: string) =>
      `The server was put back to a copy from before ${name} was there. What was not sent yet is kept: sign in as ${name} again, and it is sent.`,
    password: 'It does not know your password either. Enter one to have it there again, or leave it empty.',
    taken: (name: string) =>
      `Somebody is called ${name} there by now. If that is you, enter the password; else take another name, and what waits is sent under it.`,
  },

  remove: {
    title: 'Delete this message?',
    sent: 'It is deleted for everybody in the room.',
    unsent: 'It was not sent yet. It is gone for good.',
  },

  details: {
    onDay: (time: string, day: string) => `${time} on ${day}`,
    queued: (since: string) =>
      `Written at ${since}. It is kept on this device, and is sent as soon as there is a way.`,
    sending: (since: string) => `Written at ${since}. It is on its way to the server.`,
    checking: (since: string) =>
      `Written at ${since}. It was sent, and the server has not confirmed it yet. It is asked again, and arrives once.`,
    sent: (at: string) => `The server has it since ${at}.`,
    notSent: (since: string) => `Written at ${since}. The server did not take it; it is kept on this device.`,
    edited: 'It was changed after it was sent.',
    deleted: 'It was deleted for everybody.',
    changing: 'This is your change of it; until it is sent, others see what was there before.',
    deleting: 'Its deletion waits; until it is sent, others still see it.',
  },

  notSent: {
    title: 'Not sent',
    others: 'It held up nothing you wrote after it.',
    edit: 'Edit',
    retry: 'Try again',
    discard: 'Delete',
  },

  storage: {
    emptied: 'The browser has thrown away what this device kept, and what was not sent yet with it.',
    understood: 'Understood',
  },

  language: 'Language',
};
