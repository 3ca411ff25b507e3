/** Faults with entries that make their room. */
import type { AppendResult, NewEntry, NewRoom, RoomRecord } from '../../../server/store/port.ts';
import { makesRoom } from '../../../shared/kinds.ts';
import { MemoryData, type Row } from '../memory/data.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

const MAKES = 'the entry that makes a room is its first one, and makes its author creator and member';

export const creationFaults: Fault[] = [
  {
    name: 'a room is made by everybody who would make it',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          if (makesRoom(item.kind) && !this.find(item)) this.rooms.delete(item.room);
          return super.insert(item, at);
        }
      })(),
    caughtBy: [
      'anything else that would make it finds it taken',
      'a room without entries is not taken over',
      'of two that make one room in one batch or at once, the first one makes it',
      'of many that make one room at several stores at once, one makes it',
    ],
  },
  {
    name: 'an entry that makes a room makes nobody a member',
    data: () =>
      new (class extends MemoryData {
        protected override setMember(row: Row): void {
          if (!makesRoom(row.kind)) super.setMember(row);
        }
      })(),
    caughtBy: [
      MAKES,
      'a public room that an entry makes is listed',
      'L3 a repeat of an entry that made a room makes the room, where its maker died right after the commit',
    ],
  },
  {
    name: 'a room that an entry makes has another creator',
    data: () =>
      new (class extends MemoryData {
        override createRoom(room: NewRoom): RoomRecord {
          return super.createRoom({ ...room, createdBy: room.createdAt === 7 ? newId() : room.createdBy });
        }
      })(),
    caughtBy: [MAKES],
  },
  {
    name: 'a text makes its room',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const { room: id, author: createdBy } = item;
          if (item.kind === 'text')
            this.createRoom({ id, kind: 'public', name: '', createdBy, createdAt: at });
          return super.insert(item, at);
        }
      })(),
    caughtBy: ['before a room is made nothing is written in it, in one batch too'],
  },
  {
    name: 'a room whose making was interrupted is not there for others',
    data: () =>
      new (class extends MemoryData {
        readonly unmade = new Map<string, NewRoom>();

        override insert(item: NewEntry, at: number): AppendResult | Row {
          const row = super.insert(item, at);
          if (!('tag' in row) && makesRoom(row.kind)) {
            this.unmade.set(row.room, this.rooms.get(row.room)!);
            this.rooms.delete(row.room);
          }
          return row;
        }

        override finish(row: Row): void {
          const room = this.unmade.get(row.room);
          if (room) this.rooms.set(row.room, room);
          super.finish(row);
        }
      })(),
    caughtBy: ['a room whose maker died right after the commit is there for every store'],
  },
];
