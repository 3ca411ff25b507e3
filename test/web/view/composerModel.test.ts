import { describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../../../web/state/model.ts';
import { createComposerModel, createComposerModels, restAfter } from '../../../web/view/composerModel.ts';
import { conversationOf, fakeClient, message } from '../../support/fakeClient.ts';

describe('the composer model', () => {
  test('O4 the text is cleared only once it is durable, and submitted once however often Send is tapped', async () => {
    const store = pendingStore();
    const model = createComposerModel('', store);
    model.type('two seals');
    const taps = [model.submit(), model.submit(), model.submit()];
    expect(model.get()).toEqual({ text: 'two seals', busy: true, reason: undefined });

    store.answer({ ok: true });
    expect(await Promise.all(taps)).toEqual([true, false, false]);
    expect(store.sent).toEqual(['two seals']);
    expect(model.get()).toEqual({ text: '', busy: false, reason: undefined });
    expect(store.saved.at(-1)).toBe('');
  });

  test('O4 the text stays with the reason if this device could not store it; typing clears the reason', async () => {
    const store = pendingStore();
    const model = createComposerModel('', store);
    model.type('two seals');
    const tap = model.submit();
    store.answer({ ok: false, reason: { code: 'storage-full' } });
    expect(await tap).toBe(false);
    expect(model.get()).toEqual({ text: 'two seals', busy: false, reason: { code: 'storage-full' } });
    model.type('two seals!');
    expect(model.get().reason).toBeUndefined();
  });

  test('O4 the text stays if submitting throws', async () => {
    vi.spyOn(console, 'error').mockReturnValueOnce();
    const model = createComposerModel('two seals', {
      send: () => Promise.reject(new Error('the handle is gone')),
    });
    expect(await model.submit()).toBe(false);
    expect(model.get()).toMatchObject({ text: 'two seals', reason: { code: 'internal' } });
  });

  test('text that is typed while a submit is in flight stays', async () => {
    const store = pendingStore();
    const model = createComposerModel('', store);
    model.type('two seals');
    const tap = model.submit();
    model.type('two seals\nand a third');
    store.answer({ ok: true });
    await tap;
    expect(model.get().text).toBe('and a third');
  });

  test('and is sent afterwards if Send was tapped for it', async () => {
    const store = pendingStore();
    const model = createComposerModel('', store);
    model.type('two seals');
    const tap = model.submit();
    model.type('two seals\nand a third');
    void model.submit();
    store.answer({ ok: true });
    await tap;
    expect(store.sent).toEqual(['two seals', 'and a third']);
  });

  test('text that shows nothing is not sent; control characters of a paste are removed', async () => {
    const store = pendingStore();
    const model = createComposerModel('', store);
    for (const blank of [' \n ', '\u2800', '\u200d\ufe0f']) {
      model.type(blank);
      expect(await model.submit()).toBe(false);
    }
    model.type('a\u0007b\r\nc');
    void model.submit();
    expect(store.sent).toEqual(['ab\nc']);
  });

  test('a draft that loads late does not overwrite text that was typed meanwhile', async () => {
    const late = Promise.withResolvers<string>();
    const actions = { load: () => late.promise, send: async () => ({ ok: true as const }) };
    const [touched, untouched] = [createComposerModel('', actions), createComposerModel('', actions)];
    touched.type('new');
    late.resolve('old draft');
    await late.promise;
    expect([touched.get().text, untouched.get().text]).toEqual(['new', 'old draft']);
  });

  test('O4 the text survives a look at another room, and an edit has its own composer', () => {
    const client = fakeClient({ app: { tag: 'signed-out' } });
    const models = createComposerModels(client);
    models.ofRoom('lobby', '').type('half a sent');
    expect(models.ofRoom('lobby', '').get().text).toBe('half a sent');
    const sent = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    models.edited('lobby').set(sent);
    models.ofMessage('lobby', sent).type('three sea');
    expect(models.ofRoom('lobby', '').get().text).toBe('half a sent');

    expect(models.edited('kitchen').get()).toBeUndefined();
    expect(models.edited('lobby').get()).toBe(sent);
    expect(models.ofMessage('lobby', sent).get().text).toBe('three sea');
  });

  test('the status at the time of submit decides: a sent message is edited, an unsent one is amended', async () => {
    const refused = { tag: 'not-sent', reason: { code: 'too-large' } } as const;
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    const client = fakeClient({
      app: { tag: 'signed-out' },
      conversations: { lobby: conversationOf([text]) },
    });
    const models = createComposerModels(client);
    const model = models.ofMessage('lobby', text);
    await model.submit();
    client
      .conversation('lobby')
      .set(conversationOf([{ ...text, clientOffset: 'of-the-edit', status: refused }]));
    model.type('three seals');
    await model.submit();
    expect(client.calls.filter(([name]) => name !== 'saveDraft')).toEqual([
      ['edit', 'lobby', text.clientOffset, 'two seals', text.serverOffset],
      ['amend', 'of-the-edit', 'three seals'],
    ]);
  });

  test('O4 an unfinished edit survives a reload, until it is sent or given up', async () => {
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    const client = { ...fakeClient({ app: { tag: 'signed-out' } }), ...keepsDrafts() };
    const begin = () => createComposerModels(client).ofMessage('lobby', text).type('three sea');
    const loadedAgain = async () => {
      const models = createComposerModels(client);
      models.edited('lobby');
      await Promise.resolve();
      const edited = models.edited('lobby').get();
      return { models, edited, written: edited && models.ofMessage('lobby', edited).get().text };
    };
    begin();
    const again = await loadedAgain();
    expect(again.edited).toMatchObject({ key: text.key, clientOffset: text.clientOffset });
    expect(again.written).toBe('three sea');
    expect(createComposerModels(client).ofRoom('lobby', '').get().text).toBe(''); // no draft of the room
    await again.models.ofMessage('lobby', again.edited!).submit();
    again.models.endEdit('lobby', 'sent');
    expect((await loadedAgain()).edited).toBeUndefined();

    begin();
    (await loadedAgain()).models.endEdit('lobby', 'given-up');
    expect((await loadedAgain()).edited).toBeUndefined();
  });

  test('S3 a saved edit has nothing of the original text, which may be deleted by then', () => {
    const drafts = keepsDrafts();
    const client = { ...fakeClient({ app: { tag: 'signed-out' } }), ...drafts };
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    createComposerModels(client).ofMessage('lobby', text).type('no more');
    expect(JSON.stringify([...drafts.kept])).toContain('no more');
    expect(JSON.stringify([...drafts.kept])).not.toContain('two seals');
  });

  test.each([
    ['', 'three seals', 'three seals'],
    ['and more', 'three seals', 'and more\nthree seals'],
    ['and more', 'two seals', 'and more'],
    ['', 'two seals', ''],
  ])(
    'O4 with the draft %j and %j typed for a message that is deleted meanwhile, the draft becomes %j, with the reason',
    async (begun, typed, written) => {
      const drafts = keepsDrafts();
      drafts.kept.set('lobby', begun);
      const models = createComposerModels({ ...fakeClient({ app: { tag: 'signed-out' } }), ...drafts });
      const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
      models.edited('lobby').set(text);
      models.ofMessage('lobby', text).type(typed);
      await models.moveToDraft('lobby', text);
      expect(models.edited('lobby').get()).toBeUndefined();
      const model = models.ofRoom('lobby', '').get();
      expect(model).toEqual({ text: written, busy: false, reason: { code: 'deleted' } });
      expect(Object.fromEntries(drafts.kept)).toEqual({ lobby: written, 'change lobby': '' });
    },
  );

  test('O4 text that was typed before a reload is not lost with a deleted message either', async () => {
    const client = { ...fakeClient({ app: { tag: 'signed-out' } }), ...keepsDrafts() };
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    createComposerModels(client).ofMessage('lobby', text).type('three seals');
    const models = createComposerModels(client);
    models.edited('lobby');
    await Promise.resolve();
    await models.moveToDraft('lobby', models.edited('lobby').get()!);
    expect(models.ofRoom('lobby', '').get().text).toBe('three seals');
    expect(client.kept.get('lobby')).toBe('three seals');
  });

  test('O4 an edit that was given up is restored at the next edit; after a sent edit the next one starts from the message', async () => {
    const models = createComposerModels(fakeClient({ app: { tag: 'signed-out' } }));
    const text = message({ author: 'Ada', mine: true, at: 0, body: 'two seals' });
    const begin = () => {
      models.edited('lobby').set(text);
      return models.ofMessage('lobby', text);
    };
    begin().type('three sea');
    models.endEdit('lobby', 'given-up');
    expect(models.edited('lobby').get()).toBeUndefined();
    expect(begin().get().text).toBe('three sea');

    await begin().submit();
    models.endEdit('lobby', 'sent');
    expect(begin().get().text).toBe('two seals');
  });
});

test.each([
  ['a', 'a', ''],
  ['a b', 'a', 'b'],
  ['other', 'a b', 'other'],
])('of %j, after %j was sent, %j is left', (current, sent, rest) => {
  expect(restAfter(current, sent)).toBe(rest);
});

/** A store that answers only on request. */
function pendingStore() {
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

/** Drafts that survive several clients. */
function keepsDrafts() {
  const kept = new Map<string, string>();
  return {
    kept,
    draft: async (place: string) => kept.get(place) ?? '',
    saveDraft: (place: string, text: string) => void kept.set(place, text),
  };
}
