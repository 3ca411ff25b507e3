import { times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import { useSignedIn } from '../parts/world.ts';

/**
 * How many are here, after the number of people in the room; nothing while one is alone, or it is not known. In a direct
 * conversation whether the other one is here, or when that was last.
 */
export function HereCount({ room }: { room: string }) {
  const s = sheetTexts().presence;
  const here = useSignedIn(({ rooms, user }) => {
    const { presence: people, kind, with: other = '' } = rooms.find(({ id }) => id === room) ?? {};
    const { here, seenAt } = people?.[other] ?? {};
    if (kind === 'direct')
      return other === user.id
        ? ''
        : here
          ? s.here
          : seenAt === undefined
            ? ''
            : s.seen(times.recent(seenAt, Date.now()));
    return 1 + Object.entries(people ?? {}).filter(([id, one]) => one.here && id !== user.id).length;
  });
  return typeof here === 'string' ? here : here > 1 && s.alsoHere(here);
}
