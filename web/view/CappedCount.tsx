import { UNREAD_COUNTED_MAX } from '../../shared/limits.ts';
import { t } from '../i18n/index.ts';

export interface CappedCountProps {
  count: number;
  /** The visible text and the text for screen readers, made of the formatted number. */
  seen?(number: string): string;
  heard(number: string): string;
}

/** A count of messages, which stops at UNREAD_COUNTED_MAX: then it is `99+`, and "more than 99" for screen readers. */
export function CappedCount({ count, seen = (number) => number, heard }: CappedCountProps) {
  const written = formatCount(count);
  return (
    <>
      <span aria-hidden="true">{seen(written.seen)}</span>
      <span class="visually-hidden">{heard(written.heard)}</span>
    </>
  );
}

export function formatCount(count: number): { seen: string; heard: string } {
  if (count < UNREAD_COUNTED_MAX) return { seen: `${count}`, heard: `${count}` };
  const most = `${UNREAD_COUNTED_MAX - 1}`;
  return { seen: `${most}+`, heard: t.moreThan(most) };
}
