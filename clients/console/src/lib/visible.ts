// Names are chosen by others. Characters that have no shape, or that turn the direction of what follows, are shown by
// their number, so that a name cannot pass for another.

const SHAPELESS = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

export function visible(text: string): string {
  return text.replace(SHAPELESS, (mark) => {
    const code = mark.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}
