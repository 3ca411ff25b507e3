/** Faults with roles and bans. */
import type { AppendResult, NewEntry } from '../../../server/store/port.ts';
import { MemoryData, type Row } from '../memory/data.ts';
import type { Fault } from './faults.ts';

export const roleFaults: Fault[] = [
  {
    name: 'changes that were decided on old roles are written all the same',
    data: () =>
      new (class extends MemoryData {
        override insert({ roleSeq, ...item }: NewEntry, at: number): AppendResult | Row {
          const row = super.insert(item, at);
          if (!('tag' in row) && roleSeq !== undefined) row.roleSeq = roleSeq;
          return row;
        }
      })(),
    caughtBy: [
      'of changes that were decided on the same roles the first holds',
      'of changes at several stores that were decided on the same roles, one holds',
    ],
  },
  {
    name: 'a role outlasts a leave',
    data: () =>
      new (class extends MemoryData {
        protected override setMember(row: Row): void {
          super.setMember(row);
          const { role } = this.member(row.room, row.subject ?? row.author);
          if (role) role.serverOffset += 1_000;
        }
      })(),
    caughtBy: [
      'roles are those of the newest entries',
      'a role that reaches somebody who has left does not count',
      'a removal ends the membership and the role of its subject',
    ],
  },
  {
    name: 'a join makes a member of somebody who is banned',
    data: () =>
      new (class extends MemoryData {
        protected override setMember(row: Row): void {
          const member = this.member(row.room, row.subject ?? row.author);
          const { ban } = member;
          delete member.ban;
          super.setMember(row);
          if (ban) member.ban = ban;
        }
      })(),
    caughtBy: [
      'a ban ends the membership, and no join makes a member until it is lifted',
      'a join at one store and a ban at another at the same moment: the user is out',
    ],
  },
  {
    name: 'the side effects of a change that was interrupted are not applied before the next decision',
    data: () =>
      new (class extends MemoryData {
        override repair(): void {}
      })(),
    caughtBy: ['a change whose process died right after the commit counts for whoever decides next'],
  },
  {
    name: 'who has left by themselves counts as removed',
    data: () =>
      new (class extends MemoryData {
        override exits(user: string, rooms: readonly string[]): Map<string, 'removed' | 'banned'> {
          const out = rooms.filter((room) => this.rooms.has(room) && !this.isMember(room, user));
          return new Map([...out.map((room) => [room, 'removed'] as const), ...super.exits(user, rooms)]);
        }
      })(),
    caughtBy: ['says from which rooms a user was removed'],
  },
  {
    name: 'a ban does not end a membership that began in between',
    data: () =>
      new (class extends MemoryData {
        protected override setBan(row: Row): void {
          const member = this.member(row.room, row.subject ?? row.author);
          const { isPresent } = member;
          super.setBan(row);
          if (member.serverOffset > row.serverOffset) member.isPresent = isPresent;
        }
      })(),
    caughtBy: ['a ban that is applied after a later join ends the membership all the same'],
  },
];
