import { t } from './i18n/index.svelte.js';

/** Names the screen in the title of the page: the narrowest place first. */
export function setPageTitle(...places: string[]): void {
  document.title = [...places, t('title')].join(' – ');
}
