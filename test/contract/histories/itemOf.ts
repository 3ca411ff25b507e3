/** Turns a description of an item in a history into an item to append. */
import type { NewEntry } from '../../../server/store/port.ts';
import { reply } from '../replies.ts';
import { item, newId } from '../support.ts';
import type { SentItem } from './checks.ts';
import type { Said } from './operations.ts';
import type { Scene } from './play.ts';

/** Repeats and targets refer to any earlier item, of any author and room. */
export function itemOf(one: Said, { rooms, people, before, harness }: Scene): SentItem {
  const key = { room: rooms[one.room]!, author: people[one.author]!, clientOffset: newId() };
  const earlier = before.at(-1 - one.pick) ?? before.at(0);
  const body = `${one.tag} ${before.length}`;
  const entry = ((): NewEntry => {
    switch (one.tag) {
      case 'edit':
        return item(key, { kind: 'edit', target: earlier?.clientOffset ?? newId(), body });
      case 'delete':
        return item(key, { kind: 'delete', target: earlier?.clientOffset ?? newId() });
      case 'reply':
        return reply(item(key, { kind: 'text', body }), earlier ?? key);
      case 'join':
      case 'leave':
        return item(key, { kind: one.tag });
      case 'repeat':
        return earlier ?? item(key, { kind: 'text', body });
      case 'conflict':
        return item(earlier ?? key, { kind: 'text', body });
      case 'poisoned':
        return harness.poisoned(key);
      case 'no-room':
        return item({ ...key, room: newId() }, { kind: 'text', body });
      case 'text':
        return item(key, { kind: 'text', body });
    }
  })();
  if (one.tag !== 'poisoned') before.push(entry);
  return { entry, isPoisoned: one.tag === 'poisoned' };
}
