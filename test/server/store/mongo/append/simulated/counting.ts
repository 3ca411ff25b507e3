/** Runs the unchanged algorithm, and counts the situations it meets. */

import { appendToRoom } from '../../../../../../server/store/mongo/append/appendToRoom.ts';
import type { EntryDocument } from '../../../../../../server/store/mongo/append/commands.ts';
import type { Note } from './server.ts';
import type { Variant } from './simulation.ts';

export function counting(note: Note): NonNullable<Variant['lead']> {
  function noteDocument({ kind, author, deleted, subject, at, digest }: EntryDocument, clock: number) {
    const [, , , targetAuthor] = digest.split('|');
    if (deleted) note('a replacement is stored redacted');
    if (kind === 'takedown' && targetAuthor !== author) note('a removal of what another wrote');
    if (subject !== undefined) note('an entry about a subject');
    if (at > clock) note('an entry is stamped later than the clock says');
  }

  return function* lead(request) {
    const steps = appendToRoom(request);
    let step = steps.next();
    while (!step.done) {
      const command = step.value;
      const reply = yield command;
      if (typeof reply === 'object' && 'tag' in reply && reply.tag === 'unknown')
        note(`${command.do}: unknown`);
      if (command.do === 'insert')
        for (const document of command.documents) noteDocument(document, request.at);
      if (command.do === 'find' && Array.isArray(reply)) {
        if (reply.some((found) => found && found.serverOffset > command.from))
          note('a repeat moves the head');
        if (reply.every((found) => !found)) note('a repeat is not committed yet');
      }
      step = steps.next(reply);
    }
    for (const { tag } of step.value.results) note(`answered ${tag}`);
    return step.value;
  };
}
