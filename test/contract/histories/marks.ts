/** A model of read markers: each is the greatest value that was set. */
import { expect } from 'vitest';

export class Marks {
  /** The certain values, and the possible ones while several calls are concurrent. */
  readonly #answered = new Map<string, number>();
  readonly #asked = new Map<string, number>();

  /**
   * Call `answered` only after all concurrent calls have been registered here. `joined`: the newest entry by which the person
   * joined the room; their marker is at least that while they are a member.
   */
  ask(room: string, person: string, upTo: number): { answered(holds: number, joined: number): void } {
    const key = `${room} ${person}`;
    const atLeast = Math.max(this.#answered.get(key) ?? 0, upTo);
    this.#asked.set(key, Math.max(this.#asked.get(key) ?? 0, upTo));
    return {
      answered: (holds, joined) => {
        expect(holds).toBeGreaterThanOrEqual(atLeast);
        expect(holds).toBeLessThanOrEqual(Math.max(this.#asked.get(key)!, joined));
        this.#answered.set(key, Math.max(this.#answered.get(key) ?? 0, atLeast));
      },
    };
  }

  of(room: string, person: string): number {
    return this.#asked.get(`${room} ${person}`) ?? 0;
  }
}
