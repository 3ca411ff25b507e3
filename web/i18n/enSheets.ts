/** The English texts of the sheets, and others that the first paint does not need. */
import { counting } from './formats.ts';

const count = counting('en');

export type SheetTexts = typeof enSheets;

export const enSheets = {
  close: 'Close',

  joinAgain: 'Join again',

  tooLong: (length: number, most: number) =>
    `This message has ${count(length, { other: '#' })} characters. The limit is ${count(most, { other: '#' })}.`,

  typing: {
    somebody: 'Somebody',
    one: (name: string) => `${name} is typing…`,
    two: (name: string, other: string) => `${name} and ${other} are typing…`,
    several: 'Several people are typing…',
  },

  add: {
    title: 'Add a room',
    name: 'Name of a new room',
    create: 'Create',
    public: 'Public rooms',
    join: 'Join',
    joinNamed: (room: string) => `Join ${room}`,
    looking: 'Looking for public rooms…',
    none: 'You are already in all public rooms.',
    search: 'Find a public room',
    noneFound: 'No public room has this in its name or description.',
    searchOn: 'Search on',
    open: 'Open',
    openNamed: (room: string) => `Open ${room}`,
    private: 'Only by invitation',
  },

  profile: {
    open: (name: string) => `About ${name}`,
    since: (day: string) => `Here since ${day}`,
    shared: 'Rooms that you share',
    looking: 'Looking…',
    offline: 'You need a connection to see more.',
    write: 'Write to them',
    notes: 'Notes to myself',
    block: 'Block',
    unblock: 'Show their messages again',
    blockMeans: 'If you block somebody, you do not see what they write. They are not told.',
    blocked: (name: string) => `You have blocked ${name}, so you do not see what they write.`,
    reasons: { 'not-found': 'This person is not here any more.' },
  },

  direct: {
    title: 'Write to somebody',
    name: 'Their name',
    open: 'Write',
    openTo: (name: string) => `Write to ${name}`,
    reasons: {
      empty: 'Enter a name.',
      'not-found': 'Nobody here has this name.',
      offline: 'This device does not know this name: you need a connection to find it.',
    },
  },

  report: {
    action: 'Report',
    title: 'Report this message',
    titleOf: (name: string) => `Report ${name}`,
    toModerators: (n: number) =>
      `It goes to the moderators of this room or, if a moderator wrote it, to the keepers of this server. They see your name, this message, and up to ${count(n, { other: '#' })} messages before and after it. The author is not told.`,
    toKeepers: (n: number) =>
      `It goes to the keepers of this server, who otherwise cannot read this conversation. They see your name, this message, and up to ${count(n, { other: '#' })} messages before and after it, yours included. The other person is not told.`,
    ofPerson: 'It goes to the keepers of this server, who see your name. The person is not told.',
    reason: 'What is wrong? You need not say it.',
    send: 'Send the report',
    sent: 'The report was sent. Thank you.',
    done: 'Done',
    reasons: {
      unreachable: 'The report was not sent: the server cannot be reached right now. Try again later.',
      'report-own': 'You cannot report yourself.',
      'report-deleted': 'This message was deleted meanwhile.',
      'report-no-keeper': 'This server has no keeper who could look at it. Ask whoever runs it.',
      'report-many': 'You have made as many reports as are allowed in a day.',
      'report-full': 'Too many reports are waiting there. Try again tomorrow.',
      'too-large': 'The reason is too long.',
      invalid: 'The reason cannot contain control characters.',
      'not-found': 'This is not there any more.',
    },
  },

  reports: {
    title: 'Reports',
    open: (n: number) => count(n, { one: '# report', other: '# reports' }),
    none: 'There are no open reports.',
    about: (name: string) => `About ${name}`,
    by: (name: string, when: string) => `Reported by ${name}, ${when}`,
    look: 'Look',
    lookAt: (name: string, by: string) => `Look at the report about ${name} by ${by}`,
    message: 'The message as it was when it was reported:',
    before: (text: string) => `It had been edited. At first it said: ${text}`,
    deleted: 'Deleted',
    delete: 'Delete the message',
    close: 'Close the report',
    reasons: { 'not-found': 'This report was closed.', forbidden: 'Only a keeper can do this.' },
  },

  membership: {
    /** `names` is a list of them. */
    joined: (names: string) => `${names} joined`,
    left: (names: string) => `${names} left`,
    others: (n: number) => count(n, { other: '# others' }),
    /** How many is not known. */
    more: 'others',
    /** Between who joined and who left. */
    comma: ', ',
  },

  /** Quiet lines in a conversation; `by` and `whom` are names, or "You" and "you". */
  notices: {
    you: 'you',
    gives: {
      owner: (by: string, whom: string) => `${by} made ${whom} an owner`,
      moderator: (by: string, whom: string) => `${by} made ${whom} a moderator`,
      member: (by: string, whom: string) => `${by} made ${whom} a member again`,
    },
    handsOn: (by: string, whom: string) => `${by} handed the room on to ${whom}`,
    stepsDown: {
      owner: (by: string) => `${by} became an owner`,
      moderator: (by: string) => `${by} stepped down to moderator`,
      member: (by: string) => `${by} stepped down to member`,
    },
    removes: (by: string, whom: string) => `${by} removed ${whom}`,
    bans: (by: string, whom: string) => `${by} banned ${whom}`,
    unbans: (by: string, whom: string) => `${by} lifted the ban of ${whom}`,
    renames: (by: string, name: string) => `${by} renamed the room to ${name}`,
    describes: (by: string) => `${by} changed the description`,
    clears: (by: string) => `${by} removed the description`,
    restricts: (by: string) => `${by} made this a room for announcements`,
    opens: (by: string) => `${by} let everybody write here`,
    pins: (by: string) => `${by} pinned a message`,
    unpins: (by: string) => `${by} unpinned a message`,
  },

  pinned: {
    bar: 'Pinned message',
    pin: 'Pin for everybody',
    unpin: 'Unpin',
    reasons: {
      'role-needed': 'Your role in this room does not allow that.',
      'not-found': 'This message was deleted.',
      offline: 'You need a connection to pin a message.',
    } as Record<string, string>,
  },

  /** What owners and moderators change of a room. */
  editRoom: {
    title: 'Edit room',
    name: 'Name of the room',
    description: 'What it is about',
    announcements: 'For announcements: only owners and moderators write',
    /** In place of the composer. */
    readOnly: 'Only owners and moderators write here. You can react to their messages.',
    save: 'Save',
    offline: 'You need a connection to change this.',
    reasons: {
      empty: 'Enter a name first.',
      'too-large': 'A name can have at most 40 characters.',
      invalid: 'A name needs at least one visible character, and none that hide, turn or cover other text.',
      'role-needed': 'Your role in this room does not allow that.',
    } as Record<string, string>,
    descriptionReasons: {
      'too-large': 'A description can have at most 300 characters.',
      invalid: 'A description cannot contain control characters.',
      'role-needed': 'Your role in this room does not allow that.',
    } as Record<string, string>,
  },

  roles: {
    owner: 'Owner',
    moderator: 'Moderator',
    actionsFor: (name: string) => `What you can do about ${name}`,
    make: { owner: 'Make an owner', moderator: 'Make a moderator', member: 'Make a member again' },
    stepDown: 'Give up this role',
    handOn: 'Hand the room on to them',
    remove: {
      label: 'Remove from the room',
      means: (name: string) =>
        `${name} can no longer read or write here, and everybody in the room sees that you have removed them. They can come back: by themselves to a public room, by an invitation to a private one.`,
      confirm: 'Yes, remove them',
    },
    ban: {
      label: 'Ban from the room',
      means: (name: string) =>
        `${name} can no longer read or write here, and everybody in the room sees that you have banned them. They cannot come back until a moderator lifts the ban.`,
      confirm: 'Yes, ban them',
    },
    banned: 'Banned',
    unban: 'Lift the ban',
    unbanNamed: (name: string) => `Lift the ban of ${name}`,
    reasons: {
      'role-needed': 'Your role in this room does not allow that.',
      'role-yourself': 'You cannot remove yourself. Leave the room instead.',
      'role-last-owner': 'A room always has an owner. Make somebody else an owner first.',
      'role-no-member': 'This person is not in the room any more.',
    } as Record<string, string>,
  },

  /** Of a room from which somebody has removed the person. */
  exits: {
    forget: 'Take it off my list',
  },

  suspended:
    'A keeper has suspended this account. Everything stays on this device. What waits is sent once that is lifted.',

  stranger: {
    answers: 'Something else answers at this address, perhaps a login page. ',
    open: 'Open it',
  },

  unknownRoom: {
    join: (room: string) => `Join ${room}?`,
    joinUnnamed: 'Join this room?',
    missing: 'This room does not exist, or it is private and you are not in it.',
    offline: 'This room is not on this device. It opens as soon as there is a connection.',
  },

  menu: {
    as: (name: string) => `Signed in as ${name}`,
    setPassword: 'Set a password',
    changePassword: 'Change the password',
    invite: 'Invite people',
    leave: 'Leave this room',
    signOut: 'Sign out',
    needsHttps:
      'This page was opened over plain HTTP. You can chat and your messages are kept, but the app needs HTTPS to open offline.',
  },

  join: {
    name: 'Invitation',
    title: (by: string, room: string) => `${by} invites you to ${room}`,
    withPeople: (title: string, people: string) => `${title}, ${people}`,
    onlyUsers:
      'This invitation is for people who are on this server already. Enter your name, or ask a keeper for another one.',
    looking: 'Looking at the invitation…',
    offline: 'You need a connection to follow an invitation.',
    open: 'Open the room',
    have: 'I have an invitation code',
    code: 'Invitation code',
    go: 'Look at it',
  },

  invite: {
    title: (room: string) => `Invite to ${room}`,
    why: 'Whoever has the link or the code sees your name and this room, and can join it.',
    validFor: 'Valid for',
    days: (n: number) => count(n, { one: '# day', other: '# days' }),
    forPeople: 'For at most',
    people: (n: number) => count(n, { one: '# person', other: '# people' }),
    forNew: 'Also for people who are new on this server',
    make: 'Make an invitation',
    secret: 'Send this link to those you invite. It is shown only now.',
    shared: 'Join me on Holdfast:',
    share: 'Share',
    orCode: 'Or tell them this code, which they enter on the first screen:',
    qr: 'QR code of the link',
    poster: 'Print a poster',
    posterWhy:
      'One page in English and Chinese, with the QR code and the code. Give the Wi-Fi if people need it first. It is printed, and kept nowhere.',
    wifiName: 'Name of the Wi-Fi (optional)',
    wifiPassword: 'Its password (optional)',
    print: 'Print',
    valid: 'Valid invitations',
    used: (uses: number, most: number) => `${uses} of ${most} used`,
    until: (day: string) => `until ${day}`,
    revoke: 'Revoke',
    revokeOne: (by: string, day: string) => `Revoke the invitation of ${by}, valid until ${day}`,
    reasons: {
      forbidden: 'You cannot make this invitation. Perhaps you have too many: revoke one first.',
      'not-found': 'There is no such invitation any more.',
    },
  },

  message: {
    reply: 'Reply',
    react: 'React with an emoji',
    reactions: (emoji: string, n: number) =>
      `${emoji}, ${count(n, { one: '# reaction', other: '# reactions' })}`,
    reactWith: (emoji: string) => `React with ${emoji}`,
    absent: 'Not on this device',
    backToReply: 'Back to the reply',
    notHere: 'That message cannot be loaded now.',
    edit: 'Edit',
    delete: 'Delete',
    copy: 'Copy',
    copyLink: 'Copy link',
    details: 'Details',
    ofYou: 'Your message',
    of: (name: string) => `Message from ${name}`,
  },

  code: {
    title: 'Use on another device',
    how: 'There, or in the app on your home screen, tap “I am already here: enter a code” on the first screen, and type:',
    secret: 'It works once, within ten minutes. Whoever types it writes as you: tell it to nobody else.',
    another: 'Make a new code',
    already: 'I am already here: enter a code',
    enterTitle: 'Enter a code',
    where: 'Where you are signed in, open the menu and tap “Use on another device”. It shows the code.',
    label: 'Code',
    wrong: 'This code is wrong, was used, or is older than ten minutes.',
  },

  recovery: {
    title: 'Recovery code',
    offer: 'If this device is lost, you can come back as yourself with a recovery code.',
    show: 'Get the code',
    why: (name: string) =>
      `With a recovery code you come back as ${name} on a new device, also if this one is lost. Write it on paper, and keep it where you find it again.`,
    replaces: 'You have a code already. A new one ends it.',
    make: 'Show a new code',
    write: (name: string) =>
      `Write these twelve groups on paper, with your name ${name}. They are shown only now.`,
    secret:
      'Whoever has the code can write as you. It works until you make a new one or change your password.',
    written: 'I have written it down',
    have: 'I have a recovery code',
    enterTitle: 'Enter your recovery code',
    label: 'The twelve groups of four digits',
    signOutOthers: 'Sign out my other devices',
    incomplete: (typed: number, needed: number) =>
      `The code has ${count(needed, { one: '# digit', other: '# digits' })}. Here there are ${count(typed, { one: '#', other: '#' })}.`,
    slip: 'Not all digits are right. Compare them with your paper.',
    wrong: (name: string) => `This is not the recovery code of ${name}, or there is a newer one.`,
  },

  ask: {
    title: 'Ask to come back',
    why: (name: string) =>
      `A keeper of this server can let you back in as ${name}. You get a number, and read it to the keeper, by phone or in person.`,
    ask: 'Ask a keeper',
    read: (name: string) => `Read this number to a keeper, so that they know that it is ${name} who asks:`,
    waiting: 'Waiting for a keeper. This page goes on by itself.',
    giveUp: 'Stop asking',
    again: 'Ask again',
    ended: {
      refused: 'A keeper has refused the request.',
      expired: 'The request has expired.',
    },
    reasons: {
      'not-found': 'Nobody here has this name.',
      'no-keeper': 'This server has no keeper who could let you back in. Ask whoever runs it.',
      forbidden: 'There are too many requests now. Try again later today.',
    },
  },

  keeper: {
    title: 'People who ask to come back',
    offer: 'You are the first here. Will you let people back in who lose their phone?',
    more: 'Tell me more',
    what: 'Who has lost every device can ask to come back. A keeper sees the request, hears a number from the person, and lets them in. Keepers can let anybody in under any name, so it should be somebody whom all trust. This server has no keeper yet.',
    become: 'Become a keeper',
    none: 'Nobody is asking now.',
    how: 'Let somebody in only if you know them by voice or face, and they read you the same number.',
    waiting: (n: number) =>
      count(n, { one: '# person asks to come back', other: '# people ask to come back' }),
    look: 'Look',
    approve: 'Let in',
    approveNamed: (name: string, number: string) => `Let in ${name}, ${number}`,
    refuse: 'Refuse',
    refuseNamed: (name: string, number: string) => `Refuse ${name}, ${number}`,
    signOutOld: 'Sign out their old devices',
    reasons: {
      forbidden: 'Only a keeper can do this.',
      'not-found': 'Another keeper has decided, or the request has expired.',
    },
  },

  presence: {
    open: 'Who is here',
    title: (room: string) => `People in ${room}`,
    /** After the number of people in the room. */
    alsoHere: (n: number) => count(n, { other: ', # here' }),
    here: 'online',
    seen: (time: string) => `last seen: ${time}`,
    you: 'you',
    somebody: 'Somebody',
    looking: 'Looking for the people of this room…',
    more: 'Show more',
    hidden: 'You hide when you are here, so you do not see it of others.',
    show: 'Show when I am here',
    showReads: 'Show what I have read',
    why: 'If you hide it, you do not see it of others.',
    offline: 'You need a connection to change this.',
  },

  mentions: {
    people: 'People to mention',
    next: (n: number) =>
      count(n, {
        one: 'Go to the message that mentions you',
        other: 'Go to the next of # messages that mention you',
      }),
  },

  wishes: {
    pin: 'Pin to the top of the list',
    unpin: 'Do not pin to the top any more',
    mute: 'Mute',
    unmute: 'Do not mute any more',
    hide: 'Hide from the list until something new comes',
    show: 'Show in the list again',
    markUnread: 'Mark as unread',
    hidden: 'Hidden conversations',
  },

  people: {
    title: 'People and this server',
    name: 'The beginning of a name',
    find: 'Find',
    none: 'Nobody has such a name.',
    devices: (n: number) => count(n, { one: 'on # device', other: 'on # devices' }),
    isKeeper: 'keeper',
    change: 'Change',
    changeOne: (name: string) => `Change ${name}`,
    newName: 'Name',
    renameOnly: 'Rename people only where a name offends. Everybody sees the new one.',
    rename: 'Rename',
    signOut: 'Sign out all their devices',
    signOutOwn: 'Sign out all your other devices',
    showDevices: 'Show their devices',
    giveRole: 'Make them a keeper',
    takeRole: 'Not a keeper any more',
    suspend: {
      label: 'Suspend',
      means:
        'They can no longer sign in, read or write. Nothing is deleted, and they are told that a keeper has suspended them.',
      confirm: 'Yes, suspend them',
    },
    lift: 'Lift the suspension',
    isSuspended: 'suspended',
    address: (origin: string) => `The address of this server is ${origin}.`,
    free: (gigabytes: number) =>
      `Its disk has ${count(gigabytes, { other: '#' }, gigabytes.toFixed(1))} GB left.`,
    reasons: {
      empty: 'Enter a name first.',
      'too-large': 'A name can have at most 40 characters.',
      invalid: 'A name needs at least one visible character, and none that hide, turn or cover other text.',
      conflict: 'That name is taken.',
      'last-keeper': 'This is the last keeper. Make another one first.',
      'role-keeper': 'A keeper cannot be suspended. Take the role first.',
      'role-suspended': 'Lift the suspension first.',
      forbidden: 'Only a keeper can do this.',
      'not-found': 'There is no such person any more.',
    },
  },

  openInBrowser: {
    why: 'Open this page in your browser, such as Safari or Chrome. Here, in another app, your name and your messages would soon be lost.',
    copy: 'Copy the link',
    copied: 'Copied',
  },

  install: {
    share:
      'To keep your messages for sure, add Holdfast to your home screen: tap Share, then “Add to Home Screen”.',
    why: 'To keep your messages for sure, install Holdfast.',
    install: 'Install',
    dismiss: 'No, thanks',
  },

  password: {
    why: 'With a password you can sign in with this name on any device.',
    othersEnd: 'All your other devices will be signed out.',
    current: 'Current password',
    new: 'New password',
    save: 'Save',
  },

  name: {
    title: 'Change your name',
    why: 'Everybody sees the new name, also on your old messages. You can change it three times a day.',
    label: 'Your name',
    save: 'Save',
    offline: 'You need a connection to change it',
    tooOften: (time: string, day: string) =>
      `You have changed your name three times today. You can change it again at ${time} on ${day}.`,
  },

  devices: {
    title: 'Your devices',
    titleOf: (name: string) => `Devices of ${name}`,
    looking: 'Looking for the devices…',
    since: (day: string) => `Signed in: ${day}`,
    used: (day: string) => `Last used: ${day}`,
    current: 'This device',
    signOut: 'Sign out',
    signOutOne: (day: string) => `Sign out the device that signed in: ${day}`,
  },

  leave: {
    title: (room: string) => `Leave ${room}?`,
    why: 'You will not get its messages any more. You can join it again.',
    waiting: (n: number) =>
      count(n, {
        one: '# message of yours is still waiting. It cannot be sent after you leave.',
        other: '# messages of yours are still waiting. They cannot be sent after you leave.',
      }),
    confirm: 'Leave',
  },

  signOut: {
    title: 'Sign out?',
    waiting: (n: number, name: string) =>
      count(n, {
        one: `# message is waiting. It stays on this device and is sent when ${name} signs in here again.`,
        other: `# messages are waiting. They stay on this device and are sent when ${name} signs in here again.`,
      }),
    forGood: (name: string) =>
      `${name} has no password and is not signed in on another device: signing out is for good. Nobody can use the name ${name} again.`,
    neverSent: (n: number) =>
      count(n, {
        one: '# message is waiting and will never be sent.',
        other: '# messages are waiting and will never be sent.',
      }),
    noPassword: (name: string) =>
      `${name} has no password. To sign in here again, set one first, here or on another device.`,
    unsure: 'Without a password or another device, signing out is for good.',
    safe: 'You can sign in again with your password.',
    safeByCode: 'You can sign in again with your recovery code.',
    confirm: 'Sign out',
    confirmForGood: 'Sign out for good',
    removed: 'The messages of your rooms are removed from this device.',
    kept: (what: string) => `Also kept on this device: ${what}.`,
    notSent: (n: number) =>
      count(n, { one: '# message that was not sent', other: '# messages that were not sent' }),
    unsent: (n: number) => count(n, { one: '# unsent message', other: '# unsent messages' }),
    drafts: (n: number) => count(n, { one: '# draft', other: '# drafts' }),
    and: ' and ',
    deleteAll: 'Delete everything on this device',
    deletes: (what: string) =>
      `This also deletes ${what} on this device. Nobody has received them, and nothing can bring them back.`,
    confirmDelete: 'Delete everything and sign out',
  },

  signIn: {
    title: 'Sign in again',
    why: (name: string) => `Everything is still here. Enter the password of ${name} to continue.`,
    unknown: (name: string) =>
      `The server was restored from a backup that is older than ${name}. Your unsent messages are kept: sign in as ${name} again to send them.`,
    password:
      'The server does not know your password either. Enter a password to set it again, or leave this empty.',
    taken: (name: string) =>
      `Somebody has signed up as ${name} in the meantime. If that was you, enter the password. Otherwise choose another name; your waiting messages are then sent under it.`,
  },

  remove: {
    title: 'Delete this message?',
    sent: 'It will be deleted for everybody in the room.',
    unsent: 'It was not sent yet. It cannot be restored.',
  },

  react: {
    label: 'Emoji',
    hint: 'Choose one on the emoji keyboard of your device.',
    send: 'React',
    reasons: { invalid: 'That is not one emoji.' },
  },

  details: {
    onDay: (time: string, day: string) => `${time} on ${day}`,
    saving: (since: string) => `Written at ${since}. It is being saved on this device.`,
    queued: (since: string) =>
      `Written at ${since}. It is saved on this device and will be sent as soon as there is a connection.`,
    queuedUntilOpen: (since: string) =>
      `Written at ${since}. It is saved on this device and will be sent as soon as Holdfast is open and has a network.`,
    sending: (since: string) => `Written at ${since}. It is on its way to the server.`,
    checking: (since: string) =>
      `Written at ${since}. It was sent, but the server has not confirmed it yet. The app sends it again until it does; it arrives only once.`,
    sent: (at: string) => `The server received it at ${at}.`,
    notSent: (since: string) =>
      `Written at ${since}. The server did not accept it. It is kept on this device.`,
    readBy: (names: string) => `Read by: ${names}.`,
    unreadBy: (names: string) => `Not read yet by: ${names}.`,
    reached: (names: string) => `On their device, not read yet: ${names}.`,
    notReached: (names: string) => `Not read yet, and perhaps not on their device: ${names}.`,
    hiding: (names: string) => `Do not show what they have read: ${names}.`,
    reactedBy: (emoji: string, names: string) => `${emoji} ${names}`,
    /** `n`: more than those who are named. */
    andOthers: (names: string, n: number) =>
      `${names} ${count(n, { one: 'and # other', other: 'and # others' })}`,
    /** Between two names. */
    comma: ', ',
    edited: 'It was edited after it was sent.',
    deleted: 'It was deleted for everybody.',
    changing: 'This is your edited version. Until it is sent, others see the old one.',
    deleting: 'Its deletion is waiting to be sent. Until then, others still see it.',
  },

  notSent: {
    title: 'Not sent',
    others: 'Your later messages are not affected.',
    edit: 'Edit',
    retry: 'Try again',
    discard: 'Delete',
  },

  day: {
    open: 'Go to a date',
    date: 'Date',
    go: 'Go there',
    reasons: {
      empty: 'Choose a date first.',
      nothing: 'Nobody wrote on that day.',
      offline: 'That day is not on this device. It can be loaded once there is a connection.',
      invalid: 'This server cannot look for dates yet.',
    },
  },

  unmade: {
    title: 'The room was not made',
    name: 'Name of the room',
    discard: 'Give it up',
    deletes: (n: number) =>
      `${count(n, { one: '# message', other: '# messages' })} that you wrote in it would be deleted, too. That cannot be undone.`,
    confirm: 'Delete all of it',
  },

  storage: {
    full: 'This device is out of storage. Free some space: until then, new messages cannot be saved.',
    failing: 'This device cannot save what you write right now.',
    emptied:
      'The browser has deleted the data of this app on this device. Messages that were not sent yet are lost.',
    understood: 'OK',
  },

  /** Tables of sentences for reasons (`sentence` in index.ts). */
  reasons: {
    password: {
      empty: 'Enter a password first.',
      'too-large': 'A password can have at most 200 characters.',
      unauthorized: 'That is not your current password.',
      forbidden: 'Too often today. Try again tomorrow, or on another device.',
    },
    room: {
      empty: 'Enter a name first.',
      'too-large': 'A name can have at most 40 characters.',
      invalid: 'A name needs at least one visible character, and none that hide, turn or cover other text.',
      conflict: 'This room already exists.',
      'announcements-only': 'Only owners and moderators write in this room.',
      'room-not-made':
        'The room could not be made. Try again, or see the reason at the first line of the room.',
      'not-answered': 'You can write more once you are answered. Try again then.',
      'out-removed': 'A moderator removed you from this room.',
      'out-banned': 'A moderator banned you from this room.',
      forbidden: 'That is more than one person may do in a day, or you are in too many rooms.',
    },
  },

  language: 'Language',
};
