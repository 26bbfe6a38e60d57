/**
 * Copies text. On plain HTTP, where browsers offer no clipboard, by a selected field beside `near`; a modal dialog lets
 * only its own content be selected.
 */
export async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the browser: try the other way.
    }
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  near.after(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
}

/** Selects the text of an element, for the user to copy. */
export function select(element: HTMLElement): void {
  if (element instanceof HTMLInputElement) {
    element.select();
    return;
  }
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
}
