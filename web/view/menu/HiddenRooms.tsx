import type { ComponentChildren } from 'preact';
import { sheetTexts } from '../../i18n/sheets.ts';

/** The rooms that the person has hidden, folded, at the end of the list. */
export function HiddenRooms({ children }: { children: ComponentChildren }) {
  return (
    <details class="hidden-rooms">
      <summary>{sheetTexts().wishes.hidden}</summary>
      {children}
    </details>
  );
}
