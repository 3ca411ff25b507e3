/**
 * The text in the composer and how it is handed over, independent of the DOM. A model outlives its view: a person can look at
 * another room and come back. What is typed is also saved as a draft, so that it outlives the page (O4).
 */
import type { Mention } from '../../shared/entry.ts';
import { isBlank, withoutControls } from '../../shared/text.ts';
import { type Cell, createCell, type Readable } from '../records/cell.ts';
import type { Reason } from '../records/errorReason.ts';
import type { Client, Message, Outcome, ReplyTarget } from '../state/model.ts';
import { outcomeOf } from './parts/useAsyncAction.ts';

/** One composer: of new messages in a room, or of the edit of one message. */
export interface ComposerModel extends Readable<ComposerState> {
  type(text: string): void;
  /**
   * Hands the text to the client and resolves with true once it is durable. Only then is the text removed from the composer,
   * and only what was handed over. False: nothing to send, in flight already, or failed with `reason`.
   */
  submit(): Promise<boolean>;
  /** Resolves once the saved draft is in the text. */
  loaded: Promise<void> | undefined;
  /** Appends text that has lost its own composer, and shows why. */
  append(text: string, reason: Reason): void;
  /** Another tab has sent a message: the composer becomes empty if `isSent` says that its text is that message. */
  sentElsewhere(isSent: (text: string) => boolean): void;
}

export interface ComposerState {
  text: string;
  busy: boolean;
  reason: Reason | undefined;
}

export interface ComposerModels {
  /** For new messages in a room; starts with the draft of the room. */
  ofRoom(room: string, draft: string): ComposerModel;
  /** For the edit of an own message. */
  ofMessage(room: string, message: Message): ComposerModel;
  /** The message that is being edited in a room. Survives a look at another room and a reload (O4). */
  edited(room: string): Cell<Message | undefined>;
  /** The message that the next one in a room answers. menu/useSavedReply.ts keeps it with the draft (O4). */
  replying(room: string): Cell<ReplyTarget | undefined>;
  /** By room: whom a text mentions. Set by menu/MentionList.tsx, which knows the people. */
  mentionsIn: Map<string, (text: string) => readonly Mention[]>;
  /** Ends the edit. What was typed is kept if it was `given-up`, and shows again at the next edit of the same message. */
  endEdit(room: string, how: 'sent' | 'given-up'): void;
  /** The edited message was deleted meanwhile: what was typed for it becomes part of the room's draft (O4). */
  moveToDraft(room: string, message: Message): Promise<void>;
}

/** All composers of one signed-in user. They are discarded with the user (O5). */
export function createComposerModels(client: Client): ComposerModels {
  const models = new Map<string, ComposerModel>();
  const edited = new Map<string, Cell<Message | undefined>>();
  const answers = new Map<string, Cell<ReplyTarget | undefined>>();
  const mentionsIn: ComposerModels['mentionsIn'] = new Map();
  /** Edited messages that were restored after a reload: their `content` is what was typed, not what was sent. */
  const restored = new WeakSet<Message>();
  const modelOf = (key: string, make: () => ComposerModel) =>
    models.get(key) ?? models.set(key, make()).get(key)!;
  const ofRoom = (room: string, draft: string) =>
    modelOf(`room ${room}`, () =>
      createComposerModel(draft, {
        load: () => client.draft(room),
        save: (text) => client.saveDraft(room, text),
        typed: (text) => client.typed(room, text),
        async send(body) {
          const to = replying(room);
          const answered = to.get();
          const outcome = await client.send(room, body, answered, mentionsIn.get(room)?.(body));
          if (outcome.ok && to.get() === answered) to.set(undefined);
          return outcome;
        },
      }),
    );
  client.onSentElsewhere((room, isSent) => models.get(`room ${room}`)?.sentElsewhere(isSent));
  return {
    ofRoom,
    ofMessage: (room, message) =>
      modelOf(`message ${message.key}`, () =>
        createComposerModel(bodyOf(message), {
          save: (text) => saveEdit(room, text === '' ? undefined : withBody(message, text)),
          send(body) {
            // The status at this moment decides how it is changed. Out of the window, the status of when the edit began.
            const { messages } = client.conversation(room).get();
            const now = messages.find(({ key }) => key === message.key) ?? message;
            return now.status.tag === 'not-sent'
              ? client.amend(now.clientOffset, body)
              : client.edit(room, now.clientOffset, body, now.serverOffset);
          },
        }),
      ),
    edited: editedIn,
    replying,
    mentionsIn,
    endEdit,
    async moveToDraft(room, message) {
      const draft = ofRoom(room, '');
      await draft.loaded; // or the saved draft would be overwritten
      const model = models.get(`message ${message.key}`);
      if (editedIn(room).get() !== message || model?.get().busy) return; // in flight: its answer decides
      const typed = model?.get().text ?? bodyOf(message);
      const isNew = restored.has(message) || typed !== bodyOf(message); // a deleted text must not survive as a draft
      draft.append(isNew ? typed : '', { code: 'deleted' });
      endEdit(room, 'sent');
    },
  };

  function replying(room: string): Cell<ReplyTarget | undefined> {
    return answers.get(room) ?? answers.set(room, createCell<ReplyTarget | undefined>(undefined)).get(room)!;
  }

  function endEdit(room: string, how: 'sent' | 'given-up'): void {
    const message = editedIn(room).get();
    editedIn(room).set(undefined);
    saveEdit(room, undefined);
    const key = `message ${message?.key}`;
    if (message && (how === 'sent' || models.get(key)?.get().text === bodyOf(message))) models.delete(key);
  }

  function editedIn(room: string): Cell<Message | undefined> {
    const known = edited.get(room);
    if (known) return known;
    const cell = createCell<Message | undefined>(undefined);
    edited.set(room, cell);
    client.draft(editKeyOf(room)).then(
      (saved) => {
        if (!saved || cell.get()) return;
        const message: Message = JSON.parse(saved);
        restored.add(message);
        cell.set(message);
      },
      () => {}, // the database cannot be read: no edit is restored
    );
    return cell;
  }

  /** Saves the message with the typed text in place of its own, which may be deleted by then and must not survive here. */
  function saveEdit(room: string, message: Message | undefined): void {
    client.saveDraft(editKeyOf(room), message ? JSON.stringify(message) : '');
  }
}

/** The key under which the edit of a room is saved beside its draft. It is not a valid room id. */
function editKeyOf(room: string): string {
  return `change ${room}`;
}

function withBody(message: Message, body: string): Message {
  return { ...message, content: { tag: 'text', body, edited: true } };
}

function bodyOf({ content }: Message): string {
  return content.tag === 'text' ? content.body : '';
}

export interface ComposerActions {
  load?(): Promise<string>;
  save?(text: string): void;
  /** The person has changed the text. */
  typed?(text: string): void;
  send(body: string): Promise<Outcome>;
}

export function createComposerModel(
  initial: string,
  { load, save, typed, send }: ComposerActions,
): ComposerModel {
  const cell = createCell<ComposerState>({ text: initial, busy: false, reason: undefined });
  let touched = false;
  let inFlight = '';
  let submitAgain = false;

  const loaded = load?.().then(
    (text) => {
      if (!touched) cell.set({ ...cell.get(), text });
    },
    () => {}, // the database cannot be read: the composer starts empty
  );

  const update = (change: Partial<ComposerState>) => {
    touched = true;
    cell.set({ ...cell.get(), ...change });
  };

  return {
    get: cell.get,
    subscribe: cell.subscribe,
    type(text) {
      update({ text, reason: undefined });
      save?.(text);
      typed?.(text);
    },
    submit,
    loaded,
    append(text, reason) {
      const both = [cell.get().text, text].filter((part) => part.trim() !== '').join('\n');
      update({ text: both, reason });
      if (text !== '') save?.(both);
    },
    sentElsewhere(isSent) {
      const { text, busy } = cell.get(); // busy: sent here as well, as a message of its own
      if (!busy && isSent(text)) update({ text: '', reason: undefined });
    },
  };

  async function submit(): Promise<boolean> {
    const { text, busy } = cell.get();
    if (!canSend(text)) return false;
    if (busy) {
      submitAgain ||= text !== inFlight; // more was typed before Enter; with the same text it is a second tap
      return false;
    }
    inFlight = text;
    update({ busy: true, reason: undefined });
    const outcome = await outcomeOf(() => send(withoutControls(text)));
    const sendRest = submitAgain;
    submitAgain = false;
    if (!outcome.ok) {
      update({ busy: false, reason: outcome.reason });
      return false;
    }
    const rest = restAfter(cell.get().text, text);
    update({ busy: false, text: rest });
    save?.(rest);
    if (sendRest) void submit();
    return true;
  }
}

export function canSend(text: string): boolean {
  return !isBlank(text);
}

/** The text that was typed while `sent` was in flight. */
export function restAfter(current: string, sent: string): string {
  return current.startsWith(sent) ? current.slice(sent.length).trimStart() : current;
}
