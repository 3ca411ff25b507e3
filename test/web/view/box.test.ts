import { describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../../../web/state/model.ts';
import { createBox, createBoxes, restAfter } from '../../../web/view/box.ts';
import { conversationOf, fakeClient, message } from '../../support/fakeClient.ts';

describe('what is being written', () => {
  test('O4 is cleared only when it is safe, and handed over once however often Send is tapped', async () => {
    const store = heldBack();
    const box = createBox('', store);
    box.type('two seals');
    const taps = [box.submit(), box.submit(), box.submit()];
    expect(box.get()).toEqual({ text: 'two seals', busy: true, reason: undefined });

    store.answer({ ok: true });
    expect(await Promise.all(taps)).toEqual([true, false, false]);
    expect(store.sent).toEqual(['two seals']);
    expect(box.get()).toEqual({ text: '', busy: false, reason: undefined });
    expect(store.saved.at(-1)).toBe('');
  });

  test('O4 stays, with the reason, when this device could not keep it; typing on takes the reason away', async () => {
    const store = heldBack();
    const box = createBox('', store);
    box.type('two seals');
    const tap = box.submit();
    store.answer({ ok: false, reason: { code: 'storage-full' } });
    expect(await tap).toBe(false);
    expect(box.get()).toEqual({ text: 'two seals', busy: false, reason: { code: 'storage-full' } });
    box.type('two seals!');
    expect(box.get().reason).toBeUndefined();
  });

  test('O4 stays when handing it over throws', async () => {
    vi.spyOn(console, 'error').mockReturnValueOnce();
    const box = createBox('two seals', { send: () => Promise.reject(new Error('the handle is gone')) });
    expect(await box.submit()).toBe(false);
    expect(box.get()).toMatchObject({ text: 'two seals', reason: { code: 'internal' } });
  });

  test('what is typed while it is handed over stays', async () => {
    const store = heldBack();
    const box = createBox('', store);
    box.type('two seals');
    const tap = box.submit();
    box.type('two seals\nand a third');
    store.answer({ ok: true });
    await tap;
    expect(box.get().text).toBe('and a third');
  });

  test('and is sent after it, when Send was meant for it, too', async () => {
    const store = heldBack();
    const box = createBox('', store);
    box.type('two seals');
    const tap = box.submit();
    box.type('two seals\nand a third');
    void box.submit();
    store.answer({ ok: true });
    await tap;
    expect(store.sent).toEqual(['two seals', 'and a third']);
  });

  test('nothing but white space is not sent; control characters of a paste are left out', async () => {
    const store = heldBack();
    const box = createBox('', store);
    box.type(' \n ');
    expect(await box.submit()).toBe(false);
    box.type('a\u0007b\r\nc');
    void box.submit();
    expect(store.sent).toEqual(['ab\nc']);
  });

  test('a draft that is read late does not overwrite what was typed meanwhile', async () => {
    const late = Promise.withResolvers<string>();
    const ends = { load: () => late.promise, send: async () => ({ ok: true as const }) };
    const [touched, untouched] = [createBox('', ends), createBox('', ends)];
    touched.type('new');
    late.resolve('old draft');
    await late.promise;
    expect([touched.get().text, untouched.get().text]).toEqual(['new', 'old draft']);
  });

  test('O4 outlives a look at another room, and an edit has a box of its own', () => {
    const client = fakeClient({ app: { tag: 'hello' } });
    const boxes = createBoxes(client);
    boxes.ofRoom('lobby', '').type('half a sent');
    expect(boxes.ofRoom('lobby', '').get().text).toBe('half a sent');
    const sent = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    boxes.edited('lobby').set(sent);
    boxes.ofMessage('lobby', sent).type('three sea');
    expect(boxes.ofRoom('lobby', '').get().text).toBe('half a sent');

    expect(boxes.edited('kitchen').get()).toBeUndefined();
    expect(boxes.edited('lobby').get()).toBe(sent);
    expect(boxes.ofMessage('lobby', sent).get().text).toBe('three sea');
  });

  test('a change is an edit of what was sent, and a new text for what was not, as it is when it is handed over', async () => {
    const refused = { tag: 'not-sent', reason: { code: 'too-large' } } as const;
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    const client = fakeClient({ app: { tag: 'hello' }, conversations: { lobby: conversationOf([text]) } });
    const boxes = createBoxes(client);
    const box = boxes.ofMessage('lobby', text);
    await box.submit();
    client
      .conversation('lobby')
      .set(conversationOf([{ ...text, clientOffset: 'of-the-edit', status: refused }]));
    box.type('three seals');
    await box.submit();
    expect(client.calls.filter(([name]) => name !== 'saveDraft')).toEqual([
      ['edit', 'lobby', text.clientOffset, 'two seals', text.serverOffset],
      ['amend', 'of-the-edit', 'three seals'],
    ]);
  });

  test('O4 a change that was begun outlives the page, until it is sent or given up', async () => {
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    const client = { ...fakeClient({ app: { tag: 'hello' } }), ...keepsDrafts() };
    const begin = () => createBoxes(client).ofMessage('lobby', text).type('three sea');
    const loadedAgain = async () => {
      const boxes = createBoxes(client);
      boxes.edited('lobby');
      await Promise.resolve();
      const edited = boxes.edited('lobby').get();
      return { boxes, edited, written: edited && boxes.ofMessage('lobby', edited).get().text };
    };
    begin();
    const again = await loadedAgain();
    expect(again.edited).toMatchObject({ key: text.key, clientOffset: text.clientOffset });
    expect(again.written).toBe('three sea');
    expect(createBoxes(client).ofRoom('lobby', '').get().text).toBe(''); // no draft of the room
    await again.boxes.ofMessage('lobby', again.edited!).submit();
    again.boxes.done('lobby', 'sent');
    expect((await loadedAgain()).edited).toBeUndefined();

    begin();
    (await loadedAgain()).boxes.done('lobby', 'given-up');
    expect((await loadedAgain()).edited).toBeUndefined();
  });

  test('S3 what is kept of a change has nothing of the text before it: that may be deleted by then', () => {
    const drafts = keepsDrafts();
    const client = { ...fakeClient({ app: { tag: 'hello' } }), ...drafts };
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    createBoxes(client).ofMessage('lobby', text).type('no more');
    expect(JSON.stringify([...drafts.kept])).toContain('no more');
    expect(JSON.stringify([...drafts.kept])).not.toContain('two seals');
  });

  test.each([
    ['', 'three seals', 'three seals'],
    ['and more', 'three seals', 'and more\nthree seals'],
    ['and more', 'two seals', 'and more'],
    ['', 'two seals', ''],
  ])(
    'O4 with %j begun, %j typed for a message that is deleted meanwhile: then %j is being written, and it says why',
    async (begun, typed, written) => {
      const drafts = keepsDrafts();
      drafts.kept.set('lobby', begun);
      const boxes = createBoxes({ ...fakeClient({ app: { tag: 'hello' } }), ...drafts });
      const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
      boxes.edited('lobby').set(text);
      boxes.ofMessage('lobby', text).type(typed);
      await boxes.lost('lobby', text);
      expect(boxes.edited('lobby').get()).toBeUndefined();
      const box = boxes.ofRoom('lobby', '').get();
      expect(box).toEqual({ text: written, busy: false, reason: { code: 'deleted' } });
      expect(Object.fromEntries(drafts.kept)).toEqual({ lobby: written, 'change lobby': '' });
    },
  );

  test('O4 what was typed for it before a reload is not lost with the message either', async () => {
    const client = { ...fakeClient({ app: { tag: 'hello' } }), ...keepsDrafts() };
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    createBoxes(client).ofMessage('lobby', text).type('three seals');
    const boxes = createBoxes(client);
    boxes.edited('lobby');
    await Promise.resolve();
    await boxes.lost('lobby', boxes.edited('lobby').get()!);
    expect(boxes.ofRoom('lobby', '').get().text).toBe('three seals');
    expect(client.kept.get('lobby')).toBe('three seals');
  });

  test('O4 a change that is given up is there again when it is taken up again; one that is sent begins anew', async () => {
    const boxes = createBoxes(fakeClient({ app: { tag: 'hello' } }));
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    const begin = () => {
      boxes.edited('lobby').set(text);
      return boxes.ofMessage('lobby', text);
    };
    begin().type('three sea');
    boxes.done('lobby', 'given-up');
    expect(boxes.edited('lobby').get()).toBeUndefined();
    expect(begin().get().text).toBe('three sea');

    await begin().submit();
    boxes.done('lobby', 'sent');
    expect(begin().get().text).toBe('two seals');
  });
});

test.each([
  ['a', 'a', ''],
  ['a b', 'a', 'b'],
  ['other', 'a b', 'other'],
])('what is left of %j after %j was sent is %j', (current, sent, rest) => {
  expect(restAfter(current, sent)).toBe(rest);
});

/** Takes what is sent and answers when told to. */
function heldBack() {
  const answer = Promise.withResolvers<Outcome>();
  const sent: string[] = [];
  const saved: string[] = [];
  return {
    sent,
    saved,
    answer: answer.resolve,
    save: (text: string) => void saved.push(text),
    send(body: string) {
      sent.push(body);
      return answer.promise;
    },
  };
}

/** The drafts of a client that is loaded again and again. */
function keepsDrafts() {
  const kept = new Map<string, string>();
  return {
    kept,
    draft: async (place: string) => kept.get(place) ?? '',
    saveDraft: (place: string, text: string) => void kept.set(place, text),
  };
}
