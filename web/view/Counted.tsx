import { UNREAD_COUNTED_MAX } from '../../shared/limits.ts';
import { t } from '../i18n/index.ts';

export interface CountedProps {
  count: number;
  /** What is read and what is heard, made of the number as it is written there. */
  seen?(number: string): string;
  heard(number: string): string;
}

/** Others' messages are counted no further than UNREAD_COUNTED_MAX: from there on it is `99+`, and in words for who listens. */
export function Counted({ count, seen = (number) => number, heard }: CountedProps) {
  const written = writtenOf(count);
  return (
    <>
      <span aria-hidden="true">{seen(written.seen)}</span>
      <span class="heard">{heard(written.heard)}</span>
    </>
  );
}

export function writtenOf(count: number): { seen: string; heard: string } {
  if (count < UNREAD_COUNTED_MAX) return { seen: `${count}`, heard: `${count}` };
  const most = `${UNREAD_COUNTED_MAX - 1}`;
  return { seen: `${most}+`, heard: t.moreThan(most) };
}
