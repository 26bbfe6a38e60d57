/** Copies text; on plain HTTP by selecting `element`, since browsers offer no clipboard there. */
export async function copyText(text: string, element: HTMLElement): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the browser: select instead.
    }
  }
  select(element);
  return document.execCommand('copy');
}

/** Selects the text of an element, for the user to copy. */
export function select(element: HTMLElement): void {
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
    element.select();
    return;
  }
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
}
