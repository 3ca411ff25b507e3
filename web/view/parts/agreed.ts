/**
 * The invitation that somebody has agreed to on the first screen, by tapping Join: once they are signed in, they join its room
 * without another tap. Only by that: nobody joins a room by opening an address.
 */
let agreed: string | undefined;

export function agreeTo(invite: string): void {
  agreed = invite;
}

/** Whether the person has agreed to it; at most once. */
export function takeAgreement(invite: string): boolean {
  const has = agreed === invite;
  agreed = undefined;
  return has;
}
