// The details of an audit event, a JSON object, as names and values.

export interface Detail {
  name: string;
  value: string;
}

/** Nested objects become names with points, as `before.name`. Text that is no JSON object is one value without a name. */
export function detailsOf(json: string): Detail[] {
  if (json === '') return [];
  try {
    const value: unknown = JSON.parse(json);
    if (isObject(value)) return flat(value, '');
  } catch {
    // Shown as it is.
  }
  return [{ name: '', value: json }];
}

function flat(object: Record<string, unknown>, above: string): Detail[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const name = `${above}${key}`;
    return isObject(value) ? flat(value, `${name}.`) : [{ name, value: text(value) }];
  });
}

function text(value: unknown): string {
  if (value === null || value === '') return '–';
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(text).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
