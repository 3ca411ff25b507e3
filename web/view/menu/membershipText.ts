import { isolated, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Memberships } from '../../state/model.ts';
import { noticeText } from './noticeText.ts';

/** Who joined and who left a room, or what a notice says, in one line; undefined until the names are read. */
export function membershipText({ people }: Memberships): string | undefined {
  if (people && 'kind' in people) return noticeText(people);
  const { membership } = sheetTexts();
  const locale = t.lang === 'en' ? 'en-GB' : t.lang; // there is no comma before “and”
  const clauses = (['joined', 'left'] as const).flatMap((did) => {
    const { named, others } = people?.[did] ?? { named: [], others: 0 };
    if (named.length === 0) return [];
    const names = named.map((name) =>
      name === undefined ? t.rooms.you : isolated(name || sheetTexts().typing.somebody),
    );
    if (others > 0)
      names.push(others === Number.POSITIVE_INFINITY ? membership.more : membership.others(others));
    return membership[did](new Intl.ListFormat(locale).format(names));
  });
  return people && clauses.join(membership.comma);
}
