/** Who is not offered a recovery code any more, on this browser. */
import { createCell, type Readable } from '../../records/cell.ts';

const declined = createCell<string | undefined>(stored());

/** The id of the user who does not want to be asked again, or has just made a code, which the session says only later. */
export const declinedBy: Readable<string | undefined> = declined;

export function declineRecovery(user: string): void {
  declined.set(user);
  try {
    localStorage.setItem('holdfast:recovery-declined', user);
  } catch {
    // it lasts as long as the page
  }
}

function stored(): string | undefined {
  try {
    return localStorage.getItem('holdfast:recovery-declined') ?? undefined;
  } catch {
    return undefined;
  }
}
