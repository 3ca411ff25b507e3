import { Component, type ComponentChild, type ComponentClass } from 'preact';
import { t, times } from '../../i18n/index.ts';

/**
 * The view, rendered again only when one of its props is another one, or the language or the time zone changes: a new message
 * renders one bubble of up to 120. Vnodes that are kept and returned again would do the same, but leak: Preact links each to its
 * parent of then, that one to its children of then, and so on to everything that was ever on the screen.
 */
export function memo<Props extends object>(view: (props: Props) => ComponentChild): ComponentClass<Props> {
  return class extends Component<Props> {
    shown: unknown[] = [];

    override shouldComponentUpdate(props: Props) {
      const next = shownBy(props);
      return next.length !== this.shown.length || next.some((one, i) => one !== this.shown[i]);
    }

    override render(props: Props) {
      this.shown = shownBy(props);
      return view(props);
    }
  };
}

function shownBy(props: object): unknown[] {
  return [t, times, ...Object.values(props)];
}
