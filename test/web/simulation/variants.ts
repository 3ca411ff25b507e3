/**
 * Variants of the client with one broken line each. The simulation must catch every one of them. If the line does not exist in
 * the client any more, that is an error, so the variants stay up to date.
 */
export interface Broken {
  /** A path under web/. */
  file: string;
  from: string;
  to: string;
}

export const VARIANTS: Record<string, readonly Broken[]> = {
  'a live frame says nothing of one’s own reactions': [
    {
      file: 'log/store/storeReactions.ts',
      from: 'counted.mine ?? toggled(stored?.mine ?? [], toggles)',
      to: 'counted.mine ?? toggled(stored?.mine ?? [], toggles.slice(0, 0))',
    },
  ],
  'what is sent is not marked before': [
    {
      file: 'outbox/markBatch.ts',
      from: 'for (const row of changed) await rows.put(row);\n',
      to: '\n',
    },
  ],
  'an echo does not settle a parked row': [
    {
      file: 'db/settleRows.ts',
      from: 'if (row?.room !== room) continue;',
      to: "if (row?.room !== room || row.state.tag === 'parked') continue;",
    },
  ],
  'an acknowledgement does not settle a parked row': [
    {
      file: 'outbox/applyVerdicts.ts',
      from: 'if (!row) continue;',
      to: "if (!row || row.state.tag === 'parked') continue;",
    },
  ],
  'a refusal that comes late parks what is under way again': [
    {
      file: 'outbox/outboxReducer.ts',
      from: "verdicts.filter((verdict) => verdict.type === 'acknowledged')",
      to: 'verdicts',
    },
  ],
  'what is sent again has a new key': [
    {
      file: 'records/row.ts',
      from: "{ ...row, state: { tag: 'checking' } }",
      to: "{ ...row, state: { tag: 'checking' }, clientOffset: row.clientOffset.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }",
    },
  ],
  'the outbox is not sent in order': [
    { file: 'outbox/markBatch.ts', from: 'page.every((row)', to: 'page.toReversed().every((row)' },
  ],
  'a message is sent before its room is made': [
    { file: 'outbox/appendBatch.ts', from: 'if (creates) stopped.add(room);', to: '' },
  ],
  'what was parked with a room stays parked once that is made': [
    { file: 'db/settleRows.ts', from: 'await retryWithRoom(tx, room);', to: '' },
  ],
  'a retry retries one row of a room that was not made': [
    { file: 'outbox/amendText.ts', from: 'await retryWithRoom(tx, row.room);', to: '' },
  ],
  'a welcome without a room that is being made leaves it': [
    { file: 'log/store/applyFrames.ts', from: '|| (await isMade(tx, room))', to: '|| isMade === undefined' },
  ],
  'there is no fence': [
    {
      file: 'outbox/markBatch.ts',
      from: "return (await tx.objectStore('meta').get('drain')) === fenceToken;",
      to: 'return tx !== undefined && fenceToken !== undefined;',
    },
  ],
  'a live frame opens a span over a hole': [
    {
      file: 'log/fetch/handleFrames.ts',
      from: 'const opens = catchUps.beginsAt(room, run[0]!.serverOffset);',
      to: 'const opens = true;',
    },
  ],
  'a live frame says it knows all amendments up to the head': [
    {
      file: 'log/fetch/handleFrames.ts',
      from: 'const amendedTo = run.at(-1)!.serverOffset;',
      to: 'const amendedTo = fetcher.headOf(room);',
    },
  ],
  'a deletion does not blank what is held': [
    {
      file: 'log/store/storeEntries.ts',
      from: '...[...incoming.keys()].map((target) => redactStored(tx, room, target, incoming)),',
      to: '',
    },
  ],
  'what a moderator deletes stays on the device': [
    {
      file: 'log/store/storeEntries.ts',
      from: 'by?.some((removal) => !removal || mayAmend(removal, entry)) === true',
      to: "by?.some((removal) => removal?.kind !== 'takedown' && (!removal || mayAmend(removal, entry))) === true",
    },
  ],
  'why one is out of a room is not kept': [
    {
      file: 'log/store/applyFrames.ts',
      from: "await tx.objectStore('rooms').put({ ...room, left: true, out: reason });",
      to: "await tx.objectStore('rooms').put({ ...room, left: true });",
    },
  ],
  'a quote of what is deleted stays': [
    {
      file: 'log/store/storeEntries.ts',
      from: 'const changed = stored.filter((entry) => entry.quote || isRemoved(entry, removals));',
      to: 'const changed = stored.filter((entry) => isRemoved(entry, removals));',
    },
  ],
  'a late copy of what is deleted is not blanked': [
    {
      file: 'log/store/storeEntries.ts',
      from: 'return found.flat().filter(isRemoval);',
      to: 'return [].concat(found).slice(0, 0);',
    },
  ],
  'a change of a room that is read later is not applied': [
    {
      file: 'log/store/applyFrames.ts',
      from: 'withPinnedEdit(changedBy(stored, entries), entries)',
      to: 'withPinnedEdit(changedBy(stored, entries.slice(0, 0)), entries)',
    },
  ],
  'an older description of a room holds': [
    {
      file: 'log/store/applyFrames.ts',
      from: 'const isOlder = (room.about?.upTo ?? 0) < (stored?.about?.upTo ?? 0);',
      to: 'const isOlder = stored !== undefined && room.head < 0;',
    },
  ],
  'a deleted message still mentions': [
    {
      file: 'log/store/applyFrames.ts',
      from: 'offset > readUpTo && !removed.has(offset)',
      to: 'offset > readUpTo + 0 * removed.size',
    },
  ],
  'a reset keeps the entries': [
    {
      file: 'log/store/applyFrames.ts',
      from: 'return room.reset === true || (ends.get(room.id) ?? 0) > room.head;',
      to: 'return room.head < 0 && ends.size < 0;',
    },
    {
      file: 'log/store/applyFrames.ts',
      from: 'if (before !== undefined && before !== epoch) {',
      to: 'if (before !== undefined && before !== epoch && epoch === undefined) {',
    },
  ],
  'a reset keeps what is not moved': [
    {
      file: 'log/store/deleteLogs.ts',
      from: '(await deleteOldest(tx, LEGACY_LOG_STORES, range)) ||',
      to: '',
    },
    {
      file: 'log/store/deleteLogs.ts',
      from: "['loose', 'detached', 'reactions', ...SPAN_STORES] as const",
      to: "['detached', 'reactions', 'logSpans'] as const",
    },
  ],
  'what has moved says it knows all amendments up to the head': [
    {
      file: 'log/store/migrateLog.ts',
      from: 'entries: fresh, amendments: [], amendedTo,',
      to: 'entries: fresh, amendments: [], amendedTo: amendedTo + 50,',
    },
  ],
  'what has moved is not taken from where it was': [
    {
      file: 'log/store/migrateLog.ts',
      from: "await tx.objectStore('entries').delete(keysBetween(room, from, to));",
      to: '',
    },
  ],
  'a reset keeps where the targets stood': [
    { file: 'log/store/deleteLogs.ts', from: "await tx.objectStore('rows').put(rest);", to: 'void rest;' },
  ],
  'answers of an older log are taken': [
    {
      file: 'log/fetch/syncSession.ts',
      from: 'isCurrent: (one) => one === session,',
      to: 'isCurrent: (one) => one !== undefined,',
    },
    { file: 'log/fetch/syncSession.ts', from: 'if (asked !== session) return false;', to: '' },
    {
      file: 'log/store/applyFrames.ts',
      from: "if (version && version.epoch !== (await tx.objectStore('meta').get('epoch'))) throw new StaleLogError();",
      to: '',
    },
    {
      file: 'log/store/generation.ts',
      from: 'held.generation !== ',
      to: 'held.generation < 0 && held.generation !== ',
    },
  ],
  'what another tab forgot is not noticed': [
    {
      file: 'log/store/generation.ts',
      from: 'held.generation !== ',
      to: 'held.generation < 0 && held.generation !== ',
    },
    {
      file: 'outbox/applyVerdicts.ts',
      from: 'generation === (await readGeneration(tx))',
      to: '(await readGeneration(tx)) >= 0',
    },
  ],
  'a span is stored without its entries': [
    {
      file: 'log/store/storeEntries.ts',
      from: 'inside.map((entry) => ({',
      to: 'inside.slice(1).map((entry) => ({',
    },
  ],
  'all users share a database': [
    {
      file: 'db/userDatabase.ts',
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is a line of source
      from: 'const name = `holdfast:${userId}`;',
      to: 'const name = `holdfast:${userId && 1}`;',
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
    },
  ],
  'what could not be stored is no draft any more': [
    {
      file: 'state/drafts.ts',
      from: "if (isDraft && texts.get(room) === '') texts.set(room, text);",
      to: '',
    },
  ],
  'a write that was given up is stored all the same': [
    { file: 'db/resilientDatabase.ts', from: 'if (mine.tx && isHandleLost(error)) abort(mine.tx);', to: '' },
  ],
  'a row of a feature that the server lacks is sent all the same': [
    {
      file: 'outbox/appendBatch.ts',
      from: 'if (feature !== undefined && !features.has(feature)) stopped.add(room);',
      to: 'void features;',
    },
  ],
  'an older name holds': [
    { file: 'log/store/userNames.ts', from: 'user.rev < (before?.rev ?? 0) || ', to: '' },
  ],
  'a room that failed is left': [
    {
      file: 'log/store/applyFrames.ts',
      from: 'for (const { id } of [...rooms, ...failed]) stored.delete(id);',
      to: 'for (const { id } of failed.length < 0 ? failed : rooms) stored.delete(id);',
    },
  ],
  'the fields of another kind are not sent': [
    { file: 'records/row.ts', from: '    ...fields,\n    room,', to: '    room,' },
  ],
  'an acknowledged entry of another kind loses its fields': [
    { file: 'outbox/applyVerdicts.ts', from: '    ...fields,\n', to: '' },
  ],
  'only deletes remove': [
    {
      file: 'log/store/storeEntries.ts',
      from: 'if (isRemoval(entry)) add(',
      to: "if (entry.kind === 'delete') add(",
    },
  ],
  'a tap waits until a catch-up is stored': [
    { file: 'log/store/applyFrames.ts', from: 'clock.ticks() - began < STORE_SLICE_MS', to: 'began >= 0' },
    {
      file: 'log/store/applyFrames.ts',
      from: 'const stores = settles ? ([...FRAME_STORES, ',
      to: 'const stores = settles || settles === false ? ([...FRAME_STORES, ',
    },
  ],
  'a tap waits for what waits for a catch-up': [
    {
      file: 'db/transactionQueue.ts',
      from: 'const ahead = aheadOf(stores, mode);',
      to: 'const ahead = aheadOf(stores, mode).slice(0, 0);',
    },
  ],
  'a tap waits for a read that has begun': [
    {
      file: 'db/transactionQueue.ts',
      from: 'for (const each of ahead) each.interrupt();',
      to: 'for (const each of ahead) each.interrupt;',
    },
  ],
  'an answer whose echo could not be stored is not stored either': [
    {
      file: 'outbox/drain.ts',
      from: 'const verdicts = answered.filter((_, i) => !echoed[i]);',
      to: 'const verdicts = answered.filter((_, i) => echoed[i] === undefined);',
    },
  ],
  'a row that is left is not looked for': [
    {
      file: 'outbox/outboxReducer.ts',
      from: 'hasMore: outbox.hasMore || event.isLeft === true',
      to: 'hasMore: outbox.hasMore',
    },
  ],
  'a window ends at a hole': [
    {
      file: 'log/read/window.ts',
      from: 'const all = await readLinesBack(tx, room, Number.POSITIVE_INFINITY, wanted + 1);',
      to: `const newest = (await log.spans).at(-1)?.from ?? 0;
        const all = (await readLinesBack(tx, room, Number.POSITIVE_INFINITY, wanted + 1)).filter(
          (entry) => entry.serverOffset >= newest,
        );`,
    },
  ],
  'what is below a hole is dropped': [
    {
      file: 'log/store/storeEntries.ts',
      from: 'const after = raiseAmendedTo(covered, checked);',
      to: `const after = raiseAmendedTo(covered, checked).slice(-1);
        await tx.objectStore('log').delete(keysBetween(room, 0, after[0].from - 1));`,
    },
  ],
  'read markers outlive their log': [
    {
      file: 'log/store/deleteLogs.ts',
      from: "await tx.objectStore('marks').delete(room);",
      to: '',
    },
    { file: 'log/store/deleteLogs.ts', from: "await tx.objectStore('marks').clear();", to: '' },
  ],
  'what a view shows of an older log counts as read': [
    {
      file: 'engine/readMarkers.ts',
      from: 'if (!stored || (stored.logGeneration ?? 0) !== logGeneration) return undefined;',
      to: 'if (!stored || logGeneration < 0) return undefined;',
    },
  ],
  'read markers are sent before the welcome is stored': [
    { file: 'engine/sendUntilAnswered.ts', from: 'closed || !isWelcomed ?', to: 'closed && !isWelcomed ?' },
  ],
  'the cursor is an own entry beyond the newest span': [
    {
      file: 'log/fetch/buildHandshake.ts',
      from: 'cursors: newestOf(lasts.flatMap((last) => last ?? [])),',
      to: 'cursors: { ...newestOf(lasts.flatMap((last) => last ?? [])), ...newestOf([...beyond.values()]) },',
    },
  ],
  'what stands beyond the cursor is not said': [
    {
      file: 'log/fetch/buildHandshake.ts',
      from: '...(Object.keys(proofs).length === 0 ? {} : { proofs }),',
      to: '',
    },
  ],
  'a room opens at its newest message': [
    {
      file: 'log/read/opening.ts',
      from: 'if (!found || found.offset > cursorOf(spans)) return NEWEST;',
      to: 'if (!found || found.offset > cursorOf(spans) || spans.length >= 0) return NEWEST;',
    },
    {
      file: 'log/read/opening.ts',
      from: 'if (left && (await isThere(tx, room, left)))',
      to: 'if (left && (await isThere(tx, room, left)) && room === undefined)',
    },
  ],
  'the newest message is followed past unread ones': [
    {
      file: 'view/readingPlace.ts',
      from: 'return unreadPx === undefined ? endPx : Math.min(endPx, Math.max(0, unreadPx - leadPx));',
      to: 'return leadPx === undefined ? (unreadPx ?? 0) : endPx;',
    },
  ],
  'a direct conversation that the server does not know yet is left': [
    { file: 'log/store/applyFrames.ts', from: "room.kind === 'direct' || (await", to: '(await' },
  ],
};
