import { withoutControls } from '../../shared/text.ts';
import { createCell } from '../state/cell.ts';
import type { Client, Message, Outcome, Readable, Reason } from '../state/model.ts';
import { outcomeOf } from './outcome.ts';

/** What is being written, apart from the field it is written in: it outlives a look at another room. */
export interface Box extends Readable<BoxState> {
  type(text: string): void;
  /** Hands the text over; resolves true when it is safe. Only then, and only what was handed over, is it cleared. */
  submit(): Promise<boolean>;
}

export interface BoxState {
  text: string;
  busy: boolean;
  reason: Reason | undefined;
}

export interface Boxes {
  /** For new messages in a room; begins with its draft. */
  ofRoom(room: string, draft: string): Box;
  /** For writing a message that was not sent anew. */
  ofMessage(message: Message): Box;
}

/** The boxes of one signed-in user: with the user, they are gone (O5). */
export function createBoxes(client: Client): Boxes {
  const boxes = new Map<string, Box>();
  const kept = (key: string, make: () => Box) => boxes.get(key) ?? boxes.set(key, make()).get(key)!;
  return {
    ofRoom: (room, draft) =>
      kept(`room ${room}`, () =>
        createBox(draft, {
          load: () => client.draft(room),
          save: (text) => client.saveDraft(room, text),
          send: (body) => client.send(room, body),
        }),
      ),
    ofMessage: ({ clientOffset, content }) =>
      kept(`message ${clientOffset}`, () =>
        createBox(content.tag === 'text' ? content.body : '', {
          send: (body) => client.amend(clientOffset, body),
        }),
      ),
  };
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

  load?.().then(
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
