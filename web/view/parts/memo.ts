import { Component, type ComponentChild, type ComponentClass } from 'preact';
import { times } from '../../i18n/index.ts';
import { haveSameFields } from '../../records/reuse.ts';

/**
 * The view, rendered again only when one of its props is another one, or the language or the time zone changes: a new message
 * renders one bubble of up to 120. Vnodes that are kept and returned again would do the same, but leak: Preact links each to its
 * parent of then, that one to its children of then, and so on to everything that was ever on the screen.
 */
export function memo<Props extends object>(view: (props: Props) => ComponentChild): ComponentClass<Props> {
  return class extends Component<Props> {
    times?: unknown; // others with each language, too

    override shouldComponentUpdate(props: Props) {
      return this.times !== times || !haveSameFields(this.props, props);
    }

    override render(props: Props) {
      this.times = times;
      return view(props);
    }
  };
}
