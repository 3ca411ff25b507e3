import { expect, it } from 'vitest';
import type { NewReport } from '../../server/store/port.ts';
import { type Harness, inDatabase, newId, upTo } from './support.ts';

export function reportCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('a report is found by its recipients until it is closed, the oldest first', async () => {
    const [room, another] = [newId(), newId()];
    const shown = [2, 3, 5];
    const report = reportOf({ message: { room, serverOffset: 3, head: 5, shown }, reason: 'Insults.' });
    const earlier = reportOf({ message: { room, serverOffset: 9, head: 9 }, createdAt: 900 });
    const elsewhere = reportOf({ message: { room: another, serverOffset: 3, head: 5 } });
    const forKeepers = reportOf({ message: { room, serverOffset: 4, head: 5 }, recipients: 'keepers' });
    const person = reportOf({ recipients: 'keepers', createdAt: 1_001 });
    const { reports } = db.store;
    for (const one of [report, earlier, elsewhere, forKeepers, person])
      expect(await reports.add(one, MANY)).toBe('added');
    await db.harness.reopen();
    const store = db.store.reports;
    expect(await store.open(room, 1_500)).toEqual([earlier, report]);
    const ours = [forKeepers.id, person.id];
    const keepers = async () => (await store.open(undefined, 1_500)).filter(({ id }) => ours.includes(id));
    expect(await keepers()).toEqual([forKeepers, person]);
    expect(await store.find(report.id, 1_500)).toEqual(report);
    expect(await store.find(newId(), 1_500)).toBeUndefined();

    expect(await store.close(report.id, 3_000)).toBe(true);
    expect(await store.close(report.id, 9_000)).toBe(false);
    expect(await store.close(newId(), 3_000)).toBe(false);
    expect(await store.open(room, 1_500)).toEqual([earlier]);
    expect(await store.find(report.id, 1_500)).toBeUndefined();
  });

  it('an open report is passed on to the keepers, and stays the same report', async () => {
    const { reports } = db.store;
    const [room, about] = [newId(), newId()];
    const message = (serverOffset: number) => ({ room, serverOffset, head: 5, shown: [serverOffset] });
    const [one, other, closed] = upTo(3).map((n) => reportOf({ about, message: message(n) }));
    for (const report of [one!, other!, closed!]) await reports.add(report, MANY);
    await reports.close(closed!.id, 3_000);
    for (const id of [one!.id, closed!.id, newId()]) await reports.toKeepers(id);
    expect(await reports.open(room, 1_500)).toEqual([other]);
    const passedOn: NewReport = { ...one!, recipients: 'keepers' };
    const ofKeepers = await reports.open(undefined, 1_500);
    expect(ofKeepers.filter((report) => report.about === about)).toEqual([passedOn]);
    expect(await reports.find(one!.id, 1_500)).toEqual(passedOn);
    expect(await reports.add({ ...passedOn, id: newId() }, MANY)).toBe('repeat');
  });

  it('the same is reported once by each, until that is closed', async () => {
    const { reports } = db.store;
    const [room, by, about] = [newId(), newId(), newId()];
    const same = (changes: Partial<NewReport> = {}) =>
      reportOf({ createdBy: by, about, message: { room, serverOffset: 3, head: 5 }, ...changes });
    const first = same({ reason: 'first' });
    expect(await reports.add(first, MANY)).toBe('added');
    expect(await reports.add(same({ reason: 'second' }), MANY)).toBe('repeat');
    expect(await reports.add(same({ createdBy: newId() }), MANY)).toBe('added');
    expect(await reports.add(same({ message: { room, serverOffset: 4, head: 5 } }), MANY)).toBe('added');
    const person = reportOf({ createdBy: by, about, recipients: 'keepers' });
    expect(await reports.add(person, MANY)).toBe('added');
    expect(await reports.add({ ...person, id: newId() }, MANY)).toBe('repeat');
    await reports.close(first.id, 5_000);
    const again = same({ message: { room, serverOffset: 3, head: 8 } });
    const both = await Promise.all([reports.add(again, MANY), reports.add({ ...again, id: newId() }, MANY)]);
    expect(both.toSorted()).toEqual(['added', 'repeat']);
  });

  it('a user reports so often within a time, closed ones included, and so many wait at one place', async () => {
    const { reports } = db.store;
    const [room, by] = [newId(), newId()];
    const inRoom = (serverOffset: number, changes: Partial<NewReport> = {}) =>
      reportOf({ message: { room, serverOffset, head: 50 }, ...changes });
    const most = { ofUser: 2, since: 1_000, open: 3 };
    const old = inRoom(1, { createdBy: by, createdAt: 999 });
    const one = inRoom(2, { createdBy: by });
    for (const report of [old, one]) expect(await reports.add(report, most)).toBe('added');
    await reports.close(one.id, 2_000);
    expect(await reports.add(inRoom(3, { createdBy: by }), most)).toBe('added');
    expect(await reports.add(inRoom(4, { createdBy: by }), most)).toBe('too-many');
    expect(await reports.add(inRoom(3, { createdBy: by, about: old.about }), most)).toBe('too-many');
    expect(await reports.add(inRoom(5), most)).toBe('added');
    expect(await reports.add(inRoom(6), most)).toBe('full');
    const elsewhere = { room: newId(), serverOffset: 6, head: 6 };
    expect(await reports.add(inRoom(6, { message: elsewhere }), most)).toBe('added');
    await reports.close(old.id, 2_000);
    expect(await reports.add(inRoom(6), most)).toBe('added');
  });

  it('what has expired is not seen, and is deleted when somebody reports', async () => {
    const { reports } = db.store;
    const [room, by] = [newId(), newId()];
    const message = (serverOffset: number) => ({ message: { room, serverOffset, head: 9 } });
    const [open, closed] = upTo(2).map((n) => reportOf({ ...message(n), createdBy: by }));
    for (const one of [open!, closed!]) await reports.add(one, MANY);
    await reports.close(closed!.id, 1_800);
    expect(await reports.open(room, 1_999)).toHaveLength(1);
    expect(await reports.open(room, 2_000)).toEqual([]);
    expect(await reports.find(open!.id, 2_000)).toBeUndefined();
    const limit = { ...MANY, ofUser: 2, since: 0 };
    const next = reportOf({ ...message(7), createdBy: by, expiresAt: 9_000 });
    expect(await reports.add({ ...next, createdAt: 1_799 }, limit)).toBe('too-many');
    expect(await reports.add({ ...next, createdAt: 1_800 }, limit)).toBe('added');
    expect(await reports.add({ ...next, id: newId(), ...message(8), createdAt: 2_000 }, limit)).toBe('added');
  });
}

const MANY = { ofUser: 1_000, since: 0, open: 1_000 };

/** Of a person, made at 1,000, expires at 2,000. */
function reportOf(changes: Partial<NewReport> = {}): NewReport {
  return {
    id: newId(),
    createdBy: newId(),
    createdAt: 1_000,
    about: newId(),
    recipients: 'moderators',
    expiresAt: 2_000,
    ...changes,
  };
}
