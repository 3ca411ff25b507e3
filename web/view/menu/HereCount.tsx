import { sheetTexts } from '../../i18n/sheets.ts';
import { useSignedIn } from '../parts/world.ts';

/** How many are here, after the number of people in the room; nothing while one is alone, or it is not known. */
export function HereCount({ room }: { room: string }) {
  const here = useSignedIn(({ rooms, user }) => {
    const people = rooms.find(({ id }) => id === room)?.presence;
    return 1 + Object.entries(people ?? {}).filter(([id, one]) => one.here && id !== user.id).length;
  });
  return here > 1 && sheetTexts().presence.alsoHere(here);
}
