/** Copying a selection over several messages: their bodies, each with its author, without times and states. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shownName } from '../../../shared/text.ts';
import { t } from '../../i18n/index.ts';
import type { Message } from '../../state/model.ts';

export function useCopyMessages(log: RefObject<HTMLElement | null>, messages: readonly Message[]): void {
  const latest = useRef(messages);
  latest.current = messages;
  useEffect(() => {
    const onCopy = (event: ClipboardEvent) => {
      const selection = document.getSelection();
      if (!selection || selection.isCollapsed) return;
      const lines = selectedLines(log.current!, selection.getRangeAt(0), latest.current);
      if (lines.length < 2) return; // within one message the browser copies what is selected
      event.clipboardData?.setData('text/plain', lines.join('\n'));
      event.preventDefault();
    };
    document.addEventListener('copy', onCopy);
    return () => document.removeEventListener('copy', onCopy);
  }, []);
}

function selectedLines(log: HTMLElement, selected: Range, messages: readonly Message[]): string[] {
  return Array.from(log.querySelectorAll<HTMLElement>('[data-key]'), (row) => {
    const body = row.querySelector('.body');
    const message = messages.find(({ key }) => key === row.dataset.key);
    if (!body || message?.content.tag !== 'text' || !selected.intersectsNode(body)) return '';
    const part = selectedPart(body, selected);
    const text = part === body.textContent ? message.content.body : part; // a folded message shows only its beginning
    return text === '' ? '' : shownName(message.author.name) + t.rooms.says + text;
  }).filter((line) => line !== '');
}

function selectedPart(body: Element, selected: Range): string {
  const part = document.createRange();
  part.selectNodeContents(body);
  if (selected.compareBoundaryPoints(Range.START_TO_START, part) > 0)
    part.setStart(selected.startContainer, selected.startOffset);
  if (selected.compareBoundaryPoints(Range.END_TO_END, part) < 0)
    part.setEnd(selected.endContainer, selected.endOffset);
  return part.toString();
}
