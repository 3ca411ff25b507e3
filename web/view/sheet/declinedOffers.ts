/** What people do not want to be offered any more, on this browser. */
import { createCell, type Readable } from '../../records/cell.ts';

interface DeclinedOffer {
  /** The id of the user who does not want to be asked again, or needs it no more, which the session says only later. */
  readonly by: Readable<string | undefined>;
  decline(user: string): void;
}

export const recoveryOffer = offerNamed('recovery');
export const keeperOffer = offerNamed('keeper');

function offerNamed(name: string): DeclinedOffer {
  const key = `holdfast:declined-${name}`;
  const by = createCell<string | undefined>(stored(key));
  return {
    by,
    decline(user) {
      by.set(user);
      try {
        localStorage.setItem(key, user);
      } catch {
        // it lasts as long as the page
      }
    },
  };
}

function stored(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
