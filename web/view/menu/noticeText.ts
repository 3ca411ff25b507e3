/** What a notice says: who gave whom which role, and so on. */
import { shownName } from '../../../shared/text.ts';
import { isolated, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Memberships } from '../../state/model.ts';

type Notice = Extract<Memberships['people'], { kind: string }>;

/** Undefined for a kind that this version does not know. */
export function noticeText({ kind, by, whom, isSelf, fields }: Notice): string | undefined {
  const { notices } = sheetTexts();
  const shown = (name: string | undefined, you: string) =>
    name === undefined ? you : isolated(name || sheetTexts().typing.somebody);
  const actor = shown(by, t.rooms.you);
  const person = shown(whom, notices.you);
  switch (kind) {
    case 'role': {
      const role = fields.role === 'owner' || fields.role === 'moderator' ? fields.role : 'member';
      if (isSelf) return notices.stepsDown[role](actor);
      if (role === 'owner' && fields.authorRole === 'moderator') return notices.handsOn(actor, person);
      return notices.gives[role](actor, person);
    }
    case 'removal':
      return notices.removes(actor, person);
    case 'ban':
      return notices.bans(actor, person);
    case 'unban':
      return notices.unbans(actor, person);
    case 'pin':
      return fields.on === false ? notices.unpins(actor) : notices.pins(actor);
    case 'about':
      return aboutText(actor, fields);
    default:
      return undefined;
  }
}

function aboutText(
  actor: string,
  { name, description, announcements }: Notice['fields'],
): string | undefined {
  const { notices } = sheetTexts();
  if (typeof name === 'string') return notices.renames(actor, isolated(shownName(name)));
  if (typeof announcements === 'boolean')
    return announcements ? notices.restricts(actor) : notices.opens(actor);
  if (typeof description !== 'string') return undefined;
  return description === '' ? notices.clears(actor) : notices.describes(actor);
}
