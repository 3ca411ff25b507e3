/** Opens the log at a message: the one in the address, and those of links in texts that point to this server. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Client } from '../../state/model.ts';
import { rowOf } from '../parts/logGeometry.ts';
import { hashOf, type Route, routeOf } from '../parts/router.ts';
import { useIsLive } from '../parts/useIsLive.ts';
import { useReadable, useWorld } from '../parts/world.ts';

/** The address of a message: its room, and its place in the log. */
export function linkTo(room: string, serverOffset: number): string {
  const { origin, pathname } = window.location;
  return origin + pathname + hashOf({ tag: 'room', id: room, at: serverOffset });
}

/**
 * Goes to the message in the address; without a connection where it is held, else as soon as there is one. Then the address is that of the room
 * again, so that a reload opens the room where the person left it. Resolves with whether it is missing here.
 */
export function useMessageLinks(room: string, log: RefObject<HTMLElement | null>): boolean {
  const { client, router } = useWorld();
  const at = useReadable(router.route);
  const isLive = useIsLive();
  const [isMissing, setMissing] = useState(false);
  const wanted = at.tag === 'room' && at.id === room ? at.at : undefined;

  useEffect(() => {
    if (wanted === undefined) return;
    let isOver = false;
    const end = (isHere: boolean) => {
      if (isOver) return;
      setMissing(!isHere);
      if (isHere || isLive) replaceRoute({ tag: 'room', id: room });
    };
    goTo(client, room, log, wanted).then(end, () => end(false));
    return () => {
      isOver = true;
    };
  }, [client, room, wanted, isLive]);

  useEffect(() => {
    if (!isMissing || wanted !== undefined) return;
    const timer = setTimeout(setMissing, MISSING_SHOWN_MS, false);
    return () => clearTimeout(timer);
  }, [isMissing, wanted]);

  useEffect(() => {
    const element = log.current!;
    const onClick = (event: MouseEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const link = event.target instanceof Element && event.target.closest<HTMLAnchorElement>('a[href]');
      const route = link && routeHere(link);
      if (!route) return;
      event.preventDefault();
      router.go(route);
    };
    element.addEventListener('click', onClick);
    return () => element.removeEventListener('click', onClick);
  }, [client, room]);
  return isMissing;
}

/** Long enough to read the sentence twice. */
const MISSING_SHOWN_MS = 8_000;

/** Where a link leads within this app; undefined for any other one. */
export function routeHere({ href }: { href: string }): Route | undefined {
  const { origin, pathname } = window.location;
  const url = new URL(href);
  const route = routeOf(url.hash);
  return url.origin === origin && url.pathname === pathname && route.tag !== 'rooms' ? route : undefined;
}

/** Shows the entry, or the message after it. False where it cannot be had now. */
export async function goTo(
  client: Client,
  room: string,
  log: RefObject<HTMLElement | null>,
  offset: number,
): Promise<boolean> {
  if (!(await client.jumpTo(room, offset))) return false;
  const { messages } = client.conversation(room).get();
  const message = messages.find(({ serverOffset = 0 }) => serverOffset >= offset);
  if (!message?.serverOffset) return true;
  const { key, serverOffset } = message;
  const px = Math.round((log.current?.clientHeight ?? 0) / 3);
  await client.jumpTo(room, serverOffset, { key, serverOffset, px });
  requestAnimationFrame(() => log.current && showRow(log.current, key)); // after the jump is rendered
  return true;
}

/** Scrolls to a row of the log, which gets the focus. False where it is not there. */
export function showRow(log: HTMLElement, key: string): boolean {
  const row = rowOf(log, key);
  row?.scrollIntoView({ block: 'center' });
  row?.focus({ preventScroll: true });
  row?.animate({ opacity: [0.4, 1] }, FLASH_MS);
  return row !== null;
}

const FLASH_MS = 900;

/** Without an entry in the history. The router hears of it as of any other change of the address. */
function replaceRoute(route: Route): void {
  window.history.replaceState(window.history.state, '', hashOf(route));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function LinkMissing() {
  return (
    <div class="jump" role="status">
      <p class="line">{sheetTexts().message.notHere}</p>
    </div>
  );
}
