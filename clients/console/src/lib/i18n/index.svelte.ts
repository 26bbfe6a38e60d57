import { de } from './de.js';
import { en } from './en.js';

export type MessageKey = keyof typeof en;
export type Language = 'en' | 'de';

const CATALOGUES: Record<Language, Record<MessageKey, string>> = { en, de };
const LANGUAGE = 'bucketry.language';

class LanguageChoice {
  current = $state<Language>(preferred());

  constructor() {
    document.documentElement.lang = this.current;
  }

  /** For numbers and dates: the browser's own variant of the language, as `en-GB`. */
  get locale(): string {
    return navigator.languages.find((tag) => tag.startsWith(this.current)) ?? this.current;
  }

  set(language: Language): void {
    this.current = language;
    localStorage.setItem(LANGUAGE, language);
    document.documentElement.lang = language;
  }
}

export const language = new LanguageChoice();

/** The message in the chosen language, with `{name}` replaced. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return CATALOGUES[language.current][key].replace(/\{(\w+)\}/g, (mark, name: string) => String(values[name] ?? mark));
}

function preferred(): Language {
  const stored = localStorage.getItem(LANGUAGE);
  if (stored === 'en' || stored === 'de') return stored;
  return navigator.language.startsWith('de') ? 'de' : 'en';
}
