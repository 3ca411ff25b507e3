/** Counting messages without parsing: the body of each has a mark, and a number after it. */

/** A mark that each message's body contains once, and no other part of a packet; both servers' messages are counted by it. */
export const MARK = '#';

/** Finds the mark with memchr and reads the digits, without parsing and without allocation. */
export function eachMark(packet: Buffer, onMessage: (number: number) => void): void {
  for (let at = packet.indexOf(MARK_BYTE); at !== -1; at = packet.indexOf(MARK_BYTE, at + 1))
    onMessage(digitsAt(packet, at + 1));
}

/** The number whose digits begin there; 0 where there are none. */
export function digitsAt(packet: Buffer, at: number): number {
  let number = 0;
  for (let i = at; packet[i]! >= ZERO && packet[i]! <= NINE; i++) number = number * 10 + packet[i]! - ZERO;
  return number;
}

const MARK_BYTE = MARK.charCodeAt(0);
const ZERO = 48;
const NINE = 57;
