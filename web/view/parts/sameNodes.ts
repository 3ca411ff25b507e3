import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { t, times } from '../../i18n/index.ts';

/**
 * Returns a function that renders one of many children. While `shown`, what the child shows, is the same, it returns the same
 * vnode, which preact skips: a new message then renders one bubble of up to 150.
 */
export function useSameNodes(): (key: string, shown: readonly unknown[], render: () => VNode) => VNode {
  const previous = useRef(new Map<string, Rendered>());
  const before = previous.current;
  const rendered = new Map<string, Rendered>();
  previous.current = rendered;
  return (key, shown, render) => {
    const all = [t, times, ...shown];
    const old = before.get(key);
    const node = old?.shown.every((one, i) => one === all[i]) ? old.node : render();
    rendered.set(key, { shown: all, node });
    return node;
  };
}

interface Rendered {
  shown: readonly unknown[];
  node: VNode;
}
