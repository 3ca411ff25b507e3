/** Checks the screens while no database is busy: they show the contents of the databases (O3, S5), and only those of the signed-in user (O5). */
import { isLine } from '../../../shared/fold.ts';
import type { Row } from '../../../web/records/row.ts';
import type { HeldEntry } from '../../../web/records/storedRecords.ts';
import { statusOfRow } from '../../../web/state/messages.ts';
import type { ConversationState, Message } from '../../../web/state/model.ts';
import type { Tab } from './browser.ts';
import type { Disk } from './disk.ts';
import { isOf } from './ledger.ts';
import type { Logs } from './logs.ts';

type Broken = (rule: string, sentence: string) => void;

/** `unsure`: rooms whose last change event may be missing, because a tab was killed. */
export function checkScreen(
  tab: Tab,
  disk: Disk,
  logs: Logs,
  unsure: ReadonlySet<string>,
  broken: Broken,
): void {
  const app = tab.signedIn();
  const room = tab.looking;
  if (!app || room === undefined || tab.isFrozen()) return;
  const me = app.user.id;
  for (const each of app.rooms)
    if (each.draft !== '' && !isOf(each.draft, me)) broken('O5', `${tab.name} shows another’s draft`);
  const state = tab.client.conversation(room).get();
  if (state.loading) return;
  checkMessages(tab.name, state, me, broken);
  for (const message of state.messages) {
    checkInLogs(tab.name, room, message, logs, broken);
    checkQuote(tab.name, message, state, broken);
  }
  if (unsure.has(room)) return;
  const database = `holdfast:${me}`;
  const rows = disk.read<Row>(database, 'rows').filter((row) => row.room === room);
  const held = new Set(
    [...disk.read<HeldEntry>(database, 'log'), ...disk.read<HeldEntry>(database, 'detached')]
      .filter((entry) => entry.room === room)
      .map(({ author, clientOffset }) => `${author} ${clientOffset}`),
  );
  for (const message of state.messages) checkStatus(tab.name, message, rows, held, broken);
  checkNothingHidden(tab.name, room, state, disk, database, broken);
  if (!state.atNewest) return;
  const shown = new Set(state.messages.map(({ key }) => key));
  const texts = rows.filter((row) => row.kind === 'text').sort((a, b) => a.seq - b.seq);
  const isShown = (row: Row) => shown.has(`${me} ${row.clientOffset}`);
  const first = texts.findIndex(isShown); // earlier lines are further up
  for (const row of first < 0 ? texts.slice(-1) : texts.slice(first))
    if (!isShown(row)) broken('O3', `${tab.name} does not show “${row.body}”, which is ${row.state.tag}`);
}

function checkMessages(where: string, { messages }: ConversationState, me: string, broken: Broken): void {
  const keys = new Set<string>();
  let last = 0;
  let isWaiting = false;
  for (const { key, serverOffset, content, status, author, pending } of messages) {
    if (keys.has(key)) broken('O3', `${where} shows ${key} twice`);
    keys.add(key);
    if (serverOffset === undefined) isWaiting = true;
    else {
      if (serverOffset <= last || isWaiting) broken('S5', `${where} shows ${key} out of its order`);
      last = serverOffset;
    }
    if (
      status.tag !== 'sent' &&
      pending === 'none' &&
      (author.id !== me || (content.tag === 'text' && !isOf(content.body, me)))
    )
      broken('O5', `${where} shows what waits of another user`);
  }
}

function checkInLogs(where: string, room: string, message: Message, logs: Logs, broken: Broken): void {
  const { serverOffset, author, clientOffset, pending } = message;
  if (serverOffset === undefined || pending !== 'none') return;
  const isThere = logs.lineages().some((lineage) => {
    const entry = lineage.rooms.get(room)?.log[serverOffset - 1]?.entry;
    return entry?.author === author.id && entry.clientOffset === clientOffset;
  });
  if (!isThere) broken('O3', `${where} shows ${clientOffset} as sent, and no log has it`);
}

/** A quote says what its message says, where the screen shows both (S3). */
function checkQuote(
  where: string,
  { key, reply }: Message,
  { messages }: ConversationState,
  broken: Broken,
): void {
  const quoted = reply && messages.find((message) => message.key === reply.key);
  if (quoted && JSON.stringify(quoted.content) !== JSON.stringify(reply.content))
    broken('S3', `${where} shows ${key} with another quote than its message`);
}

/** All lines from the first one to the end are shown, including those that were stored before the connection (S3). */
function checkNothingHidden(
  where: string,
  room: string,
  { messages, atNewest, atStart }: ConversationState,
  disk: Disk,
  database: string,
  broken: Broken,
): void {
  if (!atNewest) return;
  const sent = messages.flatMap(({ serverOffset }) => serverOffset ?? []);
  const first = atStart ? 0 : (sent[0] ?? Number.POSITIVE_INFINITY);
  const shown = new Set(sent);
  for (const store of ['log', 'detached'])
    for (const entry of disk.read<HeldEntry>(database, store))
      if (
        entry.room === room &&
        isLine(entry) &&
        entry.serverOffset >= first &&
        !shown.has(entry.serverOffset)
      )
        broken('S3', `${where} hides ${room} ${entry.serverOffset}, which is held`);
}

function checkStatus(
  where: string,
  { mine, clientOffset, status, pending, content, author, serverOffset }: Message,
  rows: readonly Row[],
  held: ReadonlySet<string>,
  broken: Broken,
): void {
  const says = (what: string) => broken('O3', `${where} says ${clientOffset} is ${status.tag}, ${what}`);
  if (pending !== 'none') {
    const change = rows.findLast(
      (row) =>
        (row.kind === pending || (pending === 'delete' && row.kind === 'takedown')) &&
        (row.clientOffset === clientOffset || row.target === clientOffset),
    );
    if (!change) says(`its ${pending} waits nowhere`);
    return;
  }
  if (status.tag === 'sent') {
    if (serverOffset !== undefined && !held.has(`${author.id} ${clientOffset}`)) says('it is held nowhere');
    return;
  }
  const row = mine ? rows.find((each) => each.clientOffset === clientOffset) : undefined;
  if (!row) {
    says('it waits nowhere');
    return;
  }
  if (statusOfRow(row).tag !== status.tag) says(`its row is ${row.state.tag}`);
  const isEdited = rows.some((each) => each.kind === 'edit' && each.target === clientOffset);
  if (row.kind === 'text' && !isEdited && content.tag === 'text' && content.body !== row.body)
    says(`“${content.body}”`);
}
