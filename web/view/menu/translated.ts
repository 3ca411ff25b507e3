/**
 * Keeps texts current on a page that the browser translates. A translator takes a text node out of the document and puts
 * elements of its own in its place. Preact goes on to update the text node, which nobody sees: so a text that changes returns
 * to its place, and the translator translates it again.
 */
export function followTranslation(root: Node): void {
  /** What stands in place of a text node that a translator has taken out. */
  const instead = new WeakMap<Node, ChildNode>();
  const texts = new MutationObserver((records) => {
    for (const { target } of records) putBack(target as Text);
  });
  const elements = new MutationObserver((records) => {
    for (const record of records) {
      const place = placeOf(record);
      for (const node of place ? record.removedNodes : []) {
        if (!(node instanceof Text) || node.isConnected) continue;
        instead.set(node, place!);
        texts.observe(node, { characterData: true });
      }
    }
  });
  elements.observe(root, { childList: true, subtree: true });

  function putBack(text: Text): void {
    const place = instead.get(text);
    if (!text.isConnected && place?.isConnected) place.replaceWith(text);
  }
}

/** A translator replaces a text by an element, or puts `<font>` beside it before it removes the text. Preact does neither. */
function placeOf({
  addedNodes,
  removedNodes,
  previousSibling,
  nextSibling,
}: MutationRecord): ChildNode | undefined {
  if (removedNodes.length === 0) return undefined;
  return [addedNodes[0], previousSibling, nextSibling].find(
    (node, i): node is ChildNode => node instanceof Node && (i === 0 || node.nodeName === 'FONT'),
  );
}
