/** A name in quotes, as Python and JSON write it, and what may stand between two of them (numpy writes spaces alone). */
const QUOTED = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|(?=['"])|$)/suy;

/**
 * The elements of a text that is a list: a JSON list, or names in quotes within brackets as Python's `str` and numpy write them
 * (`['a', 'b']`, `{'a', 'b'}`, `['a' 'b']`). Undefined for any other text.
 */
export function listInText(text: string): unknown[] | undefined {
  const trimmed = text.trim();
  const isList = trimmed.startsWith('[') && trimmed.endsWith(']');
  if (!isList && !(trimmed.startsWith('{') && trimmed.endsWith('}'))) return undefined;
  if (isList) {
    try {
      return JSON.parse(trimmed) as unknown[];
    } catch {
      // Perhaps as Python writes lists.
    }
  }
  return quotedNames(trimmed.slice(1, -1));
}

function quotedNames(text: string): string[] | undefined {
  const names: string[] = [];
  QUOTED.lastIndex = 0;
  while (QUOTED.lastIndex < text.length) {
    const found = QUOTED.exec(text);
    if (!found) return undefined;
    names.push((found[1] ?? found[2] ?? '').replace(/\\(.)/gsu, '$1'));
  }
  return names.length > 0 ? names : undefined;
}

const SEPARATORS = [',', ';', '|', '/', '+', '&', ' '] as const;

/** What seems to stand between the classes of a row instead of the separator: parts of `example` are names of their own. */
export interface OtherSeparator {
  readonly separator: string;
  readonly example: string;
}

/** Finds a separator at which names fall into other names; undefined where names are whole. */
export function otherSeparator(names: readonly string[]): OtherSeparator | undefined {
  const whole = new Set(names);
  for (const separator of SEPARATORS) {
    const example = names.find((name) => {
      const parts = name.split(separator).map((part) => part.trim());
      return parts.length > 1 && parts.every((part) => part !== '') && parts.some((part) => whole.has(part));
    });
    if (example !== undefined) return { separator, example };
  }
  return undefined;
}
