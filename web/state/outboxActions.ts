/**
 * Sending, editing and deleting own messages: each action is durable, then shown, then sent (O1). A new message is shown while it
 * is written, as one that is being saved: on a slow phone it would otherwise appear a frame or two later.
 */
import type { Mention } from '../../shared/entry.ts';
import { checkBody, withoutBlankEnds, withoutControls } from '../../shared/text.ts';
import { type StorageHealth, storageReason } from '../db/failure.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { enqueue } from '../outbox/enqueue.ts';
import type { AmendmentRequest } from '../outbox/pendingAmendments.ts';
import type { NewItem, Row } from '../records/row.ts';
import type { Drafts } from './drafts.ts';
import { loadLater } from './loadLater.ts';
import type { Outcome, ReplyTarget, UserActions } from './model.ts';

type OutboxActions = Pick<
  UserActions,
  'takeDown' | 'react' | 'send' | 'retry' | 'amend' | 'discard' | 'edit' | 'remove'
>;

interface Deps {
  db: UserDatabase;
  me: string;
  drafts: Pick<Drafts, 'queue'>;
  storage: StorageHealth;
  /** Where the screen shows an own entry in the log. A hint: the transaction checks whether the entry is there. */
  targetOf(room: string, clientOffset: string): number | undefined;
  newKey: () => string;
  now: () => number;
  /** Announces the changed row, and resolves when it is shown. */
  show(room: string): Promise<void>;
  /** Shows a new message at the end of its conversation. */
  showNew(item: NewItem): NewMessage;
  persist(): void;
}

/** A new message on the screen. It shows as *saving* until one of the others is called. */
export interface NewMessage {
  saving(): void;
  /** It is durable: shows it as queued and announces it. Resolves when it is shown. */
  stored(): Promise<void>;
  /** It could not be stored: its text is still in the composer. */
  failed(): void;
}

export function createOutboxActions(deps: Deps): OutboxActions {
  const { db, me, newKey, now, show, persist } = deps;

  /** `store` resolves with the changed room, with how the change is shown, or with why there is none. */
  async function queue(
    store: () => Promise<string | (() => Promise<void>) | Outcome | undefined>,
  ): Promise<Outcome> {
    try {
      const stored = await store();
      deps.storage.worked();
      if (stored === undefined) return { ok: false, reason: { code: 'not-found' } }; // settled meanwhile, perhaps by another tab
      if (typeof stored === 'object') return stored;
      await (typeof stored === 'string' ? show(stored) : stored());
      return { ok: true };
    } catch (error) {
      deps.storage.failed(error);
      return { ok: false, reason: storageReason(error) };
    }
  }

  const changeOf = (room: string, target: string, seenAt?: number): AmendmentRequest => ({
    room,
    target,
    targetOffset: deps.targetOf(room, target) ?? seenAt,
    key: newKey(),
    at: now(),
  });
  const roomOf = (row: Row | undefined) => row?.room;

  return {
    async send(room, raw, reply, mentions) {
      const body = bodyToSend(raw);
      if (body === '') return EMPTY;
      return queue(async () => {
        const isCurrentDraft = (text: string) => bodyToSend(text) === body;
        const { key, isTried, isDraft, ...draft } = deps.drafts.queue(room, body, isCurrentDraft);
        const item = {
          kind: 'text',
          body,
          room,
          clientOffset: key,
          at: now(),
          ...answering(reply, mentions),
        } as const;
        const message = deps.showNew(item);
        try {
          const deletedDraft = await enqueue(db, item, {
            isCurrentDraft,
            isOwnDraft: isDraft,
            retriedAuthor: isTried ? me : undefined,
            writing: message.saving,
          });
          draft.stored(deletedDraft);
        } catch (error) {
          draft.failed();
          message.failed();
          throw error;
        }
        persist();
        return message.stored;
      });
    },
    retry: (clientOffset) => queue(async () => roomOf(await (await loadLater()).retry(db, clientOffset))),
    async amend(clientOffset, raw) {
      const body = bodyToSend(raw);
      if (body === '') return EMPTY;
      return queue(async () =>
        roomOf(await (await loadLater()).amend(db, clientOffset, body, newKey(), now())),
      );
    },
    async edit(room, clientOffset, raw, serverOffset) {
      const body = bodyToSend(raw);
      if (body === '') return EMPTY;
      return queue(async () => {
        const { edit } = await loadLater();
        return (await edit(db, me, changeOf(room, clientOffset, serverOffset), body)) ? room : undefined;
      });
    },
    remove: (room, clientOffset) =>
      queue(async () => {
        const { removeMessage } = await loadLater();
        return (await removeMessage(db, me, changeOf(room, clientOffset))) ? room : undefined;
      }),
    takeDown: (room, to) =>
      queue(async () => {
        await (await loadLater()).takeDown(db, { room, to, key: newKey(), at: now() });
        return room;
      }),
    react: (room, to, emoji, on) =>
      queue(async () =>
        (await (await loadLater()).react(db, { room, to, key: newKey(), at: now() }, emoji, on))
          ? room
          : NO_EMOJI,
      ),
    discard: (clientOffset) =>
      queue(async () => roomOf(await (await loadLater()).discard(db, clientOffset, newKey(), now()))),
  };
}

function answering(
  reply: ReplyTarget | undefined,
  mentions: readonly Mention[] = [],
): Pick<NewItem, 'fields' | 'targetOffset'> {
  const mentioning = mentions.length > 0 && { mentions };
  if (!reply) return mentioning ? { fields: mentioning } : {};
  const { author, clientOffset, serverOffset } = reply;
  const fields = { replyTo: { author: author.id, clientOffset }, ...mentioning };
  return serverOffset === undefined ? { fields } : { fields, targetOffset: serverOffset };
}

const NO_EMOJI: Outcome = { ok: false, reason: { code: 'invalid' } };
const EMPTY: Outcome = { ok: false, reason: { code: 'empty' } };

/** The text as it would be sent. One that is too long is queued all the same, and kept as not sent: no text is lost. */
export function bodyToSend(raw: string): string {
  const checked = checkBody(withoutControls(raw));
  if (checked.ok) return checked.text;
  return checked.code === 'too-large' ? withoutBlankEnds(withoutControls(raw).toWellFormed()) : '';
}
