import { withoutControls } from '../../shared/text.ts';
import { type Cell, createCell, type Readable } from '../records/cell.ts';
import type { Client, Message, Outcome, Reason } from '../state/model.ts';
import { outcomeOf } from './outcome.ts';

/** What is being written, apart from the field it is written in: it outlives a look at another room. */
export interface Box extends Readable<BoxState> {
  type(text: string): void;
  /** Hands the text over; resolves true when it is safe. Only then, and only what was handed over, is it cleared. */
  submit(): Promise<boolean>;
  /** Resolves once the draft that it begins with is in it. */
  loaded: Promise<void> | undefined;
  /** Adds what was written elsewhere and has no other place any more, and says why. */
  take(text: string, reason: Reason): void;
}

export interface BoxState {
  text: string;
  busy: boolean;
  reason: Reason | undefined;
}

export interface Boxes {
  /** For new messages in a room; begins with its draft. */
  ofRoom(room: string, draft: string): Box;
  /** For changing a message of one's own. */
  ofMessage(room: string, message: Message): Box;
  /** The message of a room that is being changed: neither a look at another room nor a reload ends that (O4). */
  edited(room: string): Cell<Message | undefined>;
  /** It is sent, or given up: what was typed for it then stays until it is changed again. */
  done(room: string, how: 'sent' | 'given-up'): void;
  /** The message that is being changed was deleted meanwhile: what was typed for it is a draft of the room (O4). */
  lost(room: string, message: Message): Promise<void>;
}

/** The boxes of one signed-in user: with the user, they are gone (O5). */
export function createBoxes(client: Client): Boxes {
  const boxes = new Map<string, Box>();
  const edited = new Map<string, Cell<Message | undefined>>();
  /** Those whose text is what was typed for them before a reload. */
  const begunBefore = new WeakSet<Message>();
  const kept = (key: string, make: () => Box) => boxes.get(key) ?? boxes.set(key, make()).get(key)!;
  const ofRoom = (room: string, draft: string) =>
    kept(`room ${room}`, () =>
      createBox(draft, {
        load: () => client.draft(room),
        save: (text) => client.saveDraft(room, text),
        send: (body) => client.send(room, body),
      }),
    );
  return {
    ofRoom,
    ofMessage: (room, message) =>
      kept(`message ${message.key}`, () =>
        createBox(bodyOf(message), {
          save: (text) => keep(room, text === '' ? undefined : withBody(message, text)),
          send(body) {
            // What became of it meanwhile decides how it is changed; out of the window, what it was.
            const { messages } = client.conversation(room).get();
            const now = messages.find(({ key }) => key === message.key) ?? message;
            return now.status.tag === 'not-sent'
              ? client.amend(now.clientOffset, body)
              : client.edit(room, now.clientOffset, body, now.serverOffset);
          },
        }),
      ),
    edited: editedIn,
    done,
    async lost(room, message) {
      const draft = ofRoom(room, '');
      await draft.loaded; // one that was begun stays
      const box = boxes.get(`message ${message.key}`);
      if (editedIn(room).get() !== message || box?.get().busy) return; // then the answer says what becomes of it
      const typed = box?.get().text ?? bodyOf(message);
      const isNew = begunBefore.has(message) || typed !== bodyOf(message); // what is deleted is not kept as a draft
      draft.take(isNew ? typed : '', { code: 'deleted' });
      done(room, 'sent');
    },
  };

  function done(room: string, how: 'sent' | 'given-up'): void {
    const message = editedIn(room).get();
    editedIn(room).set(undefined);
    keep(room, undefined);
    const key = `message ${message?.key}`;
    if (message && (how === 'sent' || boxes.get(key)?.get().text === bodyOf(message))) boxes.delete(key);
  }

  function editedIn(room: string): Cell<Message | undefined> {
    const there = edited.get(room);
    if (there) return there;
    const cell = createCell<Message | undefined>(undefined);
    edited.set(room, cell);
    client.draft(changeOf(room)).then(
      (begun) => {
        if (!begun || cell.get()) return;
        const message: Message = JSON.parse(begun);
        begunBefore.add(message);
        cell.set(message);
      },
      () => {}, // no draft can be read
    );
    return cell;
  }

  /** With what was typed in the place of its text: that may be deleted by then, and must not outlive it here. */
  function keep(room: string, begun: Message | undefined): void {
    client.saveDraft(changeOf(room), begun ? JSON.stringify(begun) : '');
  }
}

/** The change that was begun in a room is kept beside its draft. No room is called that. */
function changeOf(room: string): string {
  return `change ${room}`;
}

function withBody(message: Message, body: string): Message {
  return { ...message, content: { tag: 'text', body, edited: true } };
}

function bodyOf({ content }: Message): string {
  return content.tag === 'text' ? content.body : '';
}

export interface BoxEnds {
  load?(): Promise<string>;
  save?(text: string): void;
  send(body: string): Promise<Outcome>;
}

export function createBox(initial: string, { load, save, send }: BoxEnds): Box {
  const cell = createCell<BoxState>({ text: initial, busy: false, reason: undefined });
  let touched = false;
  let handedOver = '';
  let again = false;

  const loaded = load?.().then(
    (text) => {
      if (!touched) cell.set({ ...cell.get(), text });
    },
    () => {}, // no draft can be read: the field is empty, and writing goes on
  );

  const write = (change: Partial<BoxState>) => {
    touched = true;
    cell.set({ ...cell.get(), ...change });
  };

  return {
    get: cell.get,
    subscribe: cell.subscribe,
    type(text) {
      write({ text, reason: undefined });
      save?.(text);
    },
    submit,
    loaded,
    take(text, reason) {
      const both = [cell.get().text, text].filter((part) => part.trim() !== '').join('\n');
      write({ text: both, reason });
      if (text !== '') save?.(both);
    },
  };

  async function submit(): Promise<boolean> {
    const { text, busy } = cell.get();
    if (!canSend(text)) return false;
    if (busy) {
      again ||= text !== handedOver; // Enter after more was typed; the same text is a second tap on it
      return false;
    }
    handedOver = text;
    write({ busy: true, reason: undefined });
    const outcome = await outcomeOf(() => send(withoutControls(text)));
    const sendRest = again;
    again = false;
    if (!outcome.ok) {
      write({ busy: false, reason: outcome.reason });
      return false;
    }
    const rest = restAfter(cell.get().text, text);
    write({ busy: false, text: rest });
    save?.(rest);
    if (sendRest) void submit();
    return true;
  }
}

export function canSend(text: string): boolean {
  return text.trim() !== '';
}

/** What was typed while the text was being handed over stays. */
export function restAfter(current: string, sent: string): string {
  return current.startsWith(sent) ? current.slice(sent.length).trimStart() : current;
}
