export type Theme = 'system' | 'light' | 'dark';

const THEME = 'bucketry.theme';

class Preferences {
  theme = $state<Theme>(stored());

  constructor() {
    this.#apply();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(THEME, theme);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.theme;
  }
}

export const preferences = new Preferences();

function stored(): Theme {
  const value = localStorage.getItem(THEME);
  return value === 'light' || value === 'dark' ? value : 'system';
}
