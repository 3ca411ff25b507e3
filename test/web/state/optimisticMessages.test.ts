import { expect, test, vi } from 'vitest';
import { createCell } from '../../../web/records/cell.ts';
import { WINDOW_MAX_LINES } from '../../../web/records/pageLimits.ts';
import { messageKey } from '../../../web/records/storedRecords.ts';
import { type ConversationModel, EMPTY } from '../../../web/state/conversation.ts';
import { withOptimisticMessages } from '../../../web/state/conversations.ts';
import type { ConversationState, Message } from '../../../web/state/model.ts';
import { userOf } from '../welcome.ts';

const ME = userOf('ada', 'Ada');
const draft = (n: number) =>
  ({ kind: 'text', body: `text ${n}`, room: 'r', clientOffset: `key-${n}`, at: n }) as const;
const texts = (state: ConversationState) =>
  state.messages.map(({ content }) => (content.tag === 'text' ? content.body : ''));

/** A conversation whose read ends when the test says so. */
function scene(initial: Partial<ConversationState> = {}) {
  const cell = createCell<ConversationState>({ ...EMPTY, loading: false, ...initial });
  const reading = Promise.withResolvers<void>();
  const toNewest = vi.fn(() => Promise.resolve());
  const base: ConversationModel = {
    state: cell,
    refresh: () => reading.promise,
    attempted: async () => {},
    toNewest,
    loadOlder() {},
    loadNewer() {},
    loadBetween() {},
    jumpTo: async () => false,
    newestOwn: async () => undefined,
    leaveAt() {},
    loaded() {},
    live() {},
  };
  const conversation = withOptimisticMessages(base, ME);
  const heard = vi.fn();
  conversation.state.subscribe(heard);
  return { cell, reading, toNewest, conversation, heard };
}

test('O1 an optimistic message is at the end before anything is read, and each subscriber is called', async () => {
  const { conversation, heard } = scene();
  const stored = async (n: number) => conversation.optimistic(draft(n)).stored(Promise.resolve());
  await stored(1);
  await stored(2);
  expect(texts(conversation.state.get())).toEqual(['text 1', 'text 2']);
  expect(conversation.state.get().messages[0]).toMatchObject({
    key: messageKey(ME.id, 'key-1'),
    mine: true,
    status: { tag: 'queued' },
  });
  expect(heard).toHaveBeenCalledTimes(2);
  expect(conversation.state.get()).toBe(conversation.state.get());
});

test('O1 while it is written it shows as saving and cannot be changed; then as queued, in the same place', async () => {
  const { conversation } = scene();
  const [one, other] = [conversation.optimistic(draft(1)), conversation.optimistic(draft(2))];
  one.saving();
  one.saving(); // the transaction runs again
  const saving = conversation.state.get().messages;
  expect(saving).toMatchObject([{ status: { tag: 'saving' }, can: { edit: false, remove: false } }]);
  await one.stored(Promise.resolve());
  const queued = conversation.state.get().messages;
  expect(queued).toMatchObject([{ key: saving[0]!.key, status: { tag: 'queued' }, can: { edit: true } }]);
  other.saving();
  other.failed();
  expect(conversation.state.get().messages).toEqual(queued);
});

test('O3 a message that is in the database before its write is reported shows once, as it was read', () => {
  const { cell, conversation } = scene();
  const message = conversation.optimistic(draft(1));
  message.saving();
  const [saving] = conversation.state.get().messages;
  cell.set({ ...cell.get(), messages: [{ ...saving!, status: { tag: 'queued' } }] });
  message.saving();
  expect(conversation.state.get().messages).toMatchObject([{ status: { tag: 'queued' } }]);
});

test('O3 the next read has the message once, with its status', async () => {
  const { cell, reading, conversation } = scene();
  await conversation.optimistic(draft(1)).stored(Promise.resolve());
  const [message] = conversation.state.get().messages;
  const sent: Message = { ...message!, serverOffset: 7, status: { tag: 'sent' } };
  cell.set({ ...cell.get(), messages: [sent] });
  expect(conversation.state.get().messages).toEqual([sent]);
  reading.resolve();
  await new Promise(setImmediate);
  cell.set({ ...cell.get(), messages: [] }); // deleted meanwhile
  expect(conversation.state.get().messages).toEqual([]);
});

test('O3 a message that the next read does not have (another tab deleted it) is not shown any more', async () => {
  const { reading, conversation, heard } = scene();
  await conversation.optimistic(draft(1)).stored(Promise.resolve());
  reading.resolve();
  await new Promise(setImmediate);
  expect(conversation.state.get().messages).toEqual([]);
  expect(heard).toHaveBeenCalledTimes(2);
});

test('a window further up goes to the newest instead, and never exceeds its size', async () => {
  const up = scene({ atNewest: false });
  const message = up.conversation.optimistic(draft(1));
  message.saving();
  expect(up.heard).not.toHaveBeenCalled();
  await message.stored(Promise.resolve());
  expect(up.toNewest).toHaveBeenCalledOnce();
  expect(up.conversation.state.get().messages).toEqual([]);

  const full = scene();
  await full.conversation.optimistic(draft(0)).stored(Promise.resolve());
  const one = full.conversation.state.get().messages[0]!;
  const many = Array.from({ length: WINDOW_MAX_LINES }, (_, n) => ({ ...one, key: `line ${n}` }));
  full.cell.set({ ...full.cell.get(), messages: many });
  expect(full.conversation.state.get().messages).toHaveLength(WINDOW_MAX_LINES);
  expect(texts(full.conversation.state.get()).at(-1)).toBe('text 0');
});
