/** Faults with changes of rooms. */
import { MemoryData, type Row } from '../memory/data.ts';
import type { Fault } from './faults.ts';

export const aboutRoomFaults: Fault[] = [
  {
    name: 'changes of rooms are not applied',
    data: () =>
      new (class extends MemoryData {
        protected override setAbout(): void {}
      })(),
    caughtBy: [
      'a room has the name and the description of its newest changes',
      'a message that is deleted, or is none, cannot be pinned; a repeat of the pin stays one',
      'changes at several stores at the same moment end in one value at all of them',
    ],
  },
  {
    name: 'the change that is applied last holds',
    data: () =>
      new (class extends MemoryData {
        protected override setAbout(row: Row): void {
          const room = this.rooms.get(row.room)!;
          const { aboutOffsets } = room;
          delete room.aboutOffsets;
          super.setAbout(row);
          Object.assign(room, {
            aboutOffsets: { ...aboutOffsets, ...this.rooms.get(row.room)?.aboutOffsets },
          });
        }
      })(),
    caughtBy: ['of several changes of one field, that with the greatest serverOffset holds'],
  },
  {
    name: 'a deleted message stays pinned',
    data: () =>
      new (class extends MemoryData {
        protected override setAbout(row: Row): void {
          if (row.kind !== 'delete') super.setAbout(row);
        }
      })(),
    caughtBy: [
      'the message that was pinned last is pinned, until it is unpinned or deleted',
      'a message that was deleted is not pinned, whichever of the two is applied last',
    ],
  },
  {
    name: 'a message that was deleted meanwhile is pinned',
    data: () =>
      new (class extends MemoryData {
        protected override setAbout(row: Row): void {
          super.setAbout(row);
          const { about } = this.rooms.get(row.room)!;
          if (row.kind === 'pin' && about && row.content?.on) about.pinned = row.targetOffset;
        }
      })(),
    caughtBy: ['a pin that is applied after the deletion of its message does not hold'],
  },
  {
    name: 'a change concerns all rooms',
    data: () =>
      new (class extends MemoryData {
        protected override setAbout(row: Row): void {
          for (const room of this.rooms.keys()) super.setAbout({ ...row, room });
        }
      })(),
    caughtBy: ['a change concerns its own room alone'],
  },
  {
    name: 'a change removes the other fields',
    data: () =>
      new (class extends MemoryData {
        protected override setAbout(row: Row): void {
          const room = this.rooms.get(row.room)!;
          if (row.kind === 'about' && room.about) room.about = { upTo: room.about.upTo };
          super.setAbout(row);
        }
      })(),
    caughtBy: [
      'a room has the name and the description of its newest changes',
      'says alone what was changed of a room, for example that it is for announcements',
    ],
  },
];
